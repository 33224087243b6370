// The projects of vitest: which files of tests each has, and what they run on. vitest.config.ts makes the projects of it, and
// `npm test` the keys of what has passed (tools/lib/passed).

/** The sources that the package's published names stand for, so that a test and what it tests share one copy of every class. */
export const published = {
  skerry: 'js/index.ts',
  'skerry/service-worker': 'js/service-worker.ts',
  'skerry/react': 'js/react/index.ts',
  'skerry/tanstack': 'js/tanstack/index.ts',
  'skerry/inspector': 'js/inspector/index.ts',
  'skerry/elements': 'js/elements/index.ts',
  'skerry/redux': 'js/redux/index.ts',
  'skerry/testing': 'js/testing.ts',
  'skerry/authority': 'dist/skerry-authority.js',
};

/** What no database can change: parts that have none, limits, HTTP. By day these run once, beside PostgreSQL. */
const anyDatabase = [
  ...[
    'app-rules',
    'audiences',
    'auth',
    'batch-bisection',
    'callers',
    'cost',
    'database-errors',
    'files',
    'flusher',
    'folder-store',
  ],
  ...['gate', 'http-parts', 'mounted', 'options', 'own-verify', 'pull-cost', 'push-cost'],
  ...['shares', 'sign-in'],
];

/**
 * What is sent in pages, because it is too large for one answer; and states that are too large. The SQL and the limits are the
 * same on both; PGlite has the other tests of pulling, pushing and images, and all of these by night.
 */
const large = [
  ...['joins-large', 'large-entry', 'member-limits'],
  ...['pull-large', 'reducer-limits', 'refill', 'refill-client', 'table-time'],
];

/** Long ones, about rules that are the authority's or the client's, or whose SQL is the same; shorter ones of each are left. */
const ruled = [
  ...['diff-client', 'filter', 'forget-clients', 'invitations-client'],
  ...['isolation-hidden', 'joins', 'lost-client', 'offers', 'poke', 'pull-time'],
  ...['retention-client', 'rules', 'rules-options', 'same-ids', 'schema-drops'],
  ...['schema-releases', 'schema-rename-sequences', 'schema-rename-sql'],
  ...['schema-renames', 'schema-sequences', 'schema-table', 'sockets'],
  ...['stream-snapshots', 'streams-client', 'tables', 'undo-client'],
];

const byNight = process.env.SKERRY_ROUNDS === 'all';
const filesOf = (names) => names.map((name) => `test/server/${name}.test.ts`);

/** Of all projects: what runs every file of tests. */
export const everyProject = [
  'vitest.config.ts',
  'tsconfig.json',
  'tsconfig.base.json',
  'test/support/patience.ts',
  'test/support/patient.ts',
  'test/support/rounds.ts',
  'test/support/memory-folder.ts',
  'test/support/processes.ts',
  'test/support/opened.mjs',
  'test/support/watched.ts',
];

const initialised = 'test/support/initialised.ts';
/** What is built of the server, and what it is started with. */
const server = ['server/dist', 'server/package.json', 'dist/skerry-authority.js', 'dist/rules.js'];
/** What a page may load, with the chunks and modules that these name, and the servers that give it. */
const site = [
  ...[initialised, 'test/browser/support/built-site.ts'],
  ...['dist/index.js', 'dist/worker.js', 'dist/service-worker.js', 'dist/skerry-sw.js'],
  ...[
    'dist/skerry-image.js',
    'dist/tanstack.js',
    'dist/elements.js',
    'dist/inspector.js',
    'web-demo/dist',
    'test/browser/page',
  ],
];

/**
 * For each: the folders with its files of tests; whether those in folders below belong to it; which do not. `on`: files and
 * folders that its tests run on, whatever they import. `programs`: what else has a version.
 */
export const projects = {
  unit: { folders: ['test/js', 'test/contract', 'test/tools'], deep: true, except: [] },
  // It reads the whole tree, in seconds: it has no key.
  tidy: { folders: ['test/tidy'], deep: true, except: [], always: true },
  server: {
    folders: ['test/server'],
    except: byNight ? [] : filesOf([...anyDatabase, ...large, ...ruled]),
    on: [initialised, ...server],
  },
  // The same tests on PostgreSQL, but those that need no database, or are about PGlite's files, and the tests of several nodes.
  'server-postgres': {
    folders: ['test/server'],
    deep: true,
    except: filesOf(['directory-lock', 'disk-full', 'pglite', 'start', 'statistics']),
    on: ['test/server/support/postgres.ts', ...server],
    programs: ['PostgreSQL'],
  },
  browser: {
    folders: ['test/browser'],
    deep: true,
    except: [],
    on: [...site, ...server],
    programs: ['Chromium'],
  },
  // The same scenes in three engines.
  engines: {
    folders: ['test/engines'],
    deep: true,
    except: [],
    on: [...site, ...server],
    programs: ['Chromium', 'Firefox', 'WebKitGTK'],
  },
  // The packed package in fresh projects of several bundlers.
  package: {
    folders: ['test/package'],
    except: [],
    on: [
      ...[...site, ...server, 'dist', 'package.json', 'README.md', 'CHANGELOG.md', 'LICENSE'],
      ...['test/package/projects', 'test/package/support/packed.ts'],
    ],
    programs: ['Chromium', 'npm'],
  },
};

/** What single files of tests read by paths that are put together, as a whole folder, or by a bundler. */
export const reads = {
  'test/browser/disagreement.test.ts': ['web-demo/src'],
  'test/browser/examples.test.ts': ['dist', 'examples'],
  'test/browser/fixtures.test.ts': ['dist', 'test/browser/fixtures'],
  'test/browser/upgrade.test.ts': ['dist'],
  'test/engines/upgrade.test.ts': ['dist'],
  'test/js/import.test.ts': ['dist'],
  'test/server/directory-lock.test.ts': ['server/src/db'],
  'test/server/pglite.test.ts': ['server/src/db'],
  'test/server/nodes/adopt.test.ts': ['dist'],
  'test/server/nodes/adopt-forms.test.ts': ['dist'],
  'test/server/nodes/adopt-generated.test.ts': ['dist'],
  'test/server/nodes/adopt-realms.test.ts': ['dist'],
  'test/js/readme.test.ts': ['dist', 'server/bin', ...server],
};

/** The files of tests of a project, as patterns. */
export const patterns = ({ folders, deep }) =>
  folders.map((folder) => `${folder}/${deep ? '**/' : ''}*.test.ts`);
