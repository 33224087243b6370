import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { patience, rememberSlowness } from './test/support/patience.ts';
import { byNight } from './test/support/rounds.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Tests see the sources by the package's published names, so that a test and what it tests share one
// copy of every class. The wasm modules come from dist/, where `npm run build` puts them.
const alias = [
  { find: /^skerry$/, replacement: here('./js/index.ts') },
  { find: /^skerry\/service-worker$/, replacement: here('./js/service-worker.ts') },
  { find: /^skerry\/react$/, replacement: here('./js/react/index.ts') },
  { find: /^skerry\/tanstack$/, replacement: here('./js/tanstack/index.ts') },
  { find: /^skerry\/redux$/, replacement: here('./js/redux/index.ts') },
  { find: /^skerry\/testing$/, replacement: here('./js/testing.ts') },
  { find: /^skerry\/authority$/, replacement: here('./dist/skerry-authority.js') },
];

// Whatever waits does so as long as this machine needs.
rememberSlowness();
const setupFiles = [here('./test/support/patient.ts')];

const project = (name: string, include: string[], more: object = {}) => ({
  resolve: { alias },
  test: { name, include, environment: 'node' as const, expect: patient, setupFiles, ...more },
});

const limits = (test: number, hook = 30_000) => ({
  testTimeout: patience(test),
  hookTimeout: patience(hook),
});

/** Servers on PGlite start on copies of it. */
const initialised = here('./test/support/initialised.ts');
const browsers = { ...limits(300_000, 120_000), globalSetup: initialised };
const slow = limits(120_000, 120_000);

/** What is waited for may take its time on a machine under load; nothing is waited for without a limit. */
const patient = { poll: { timeout: patience(30_000) } };

/** What no database can change: parts that have none, limits, HTTP. By day these run once, beside PostgreSQL. */
const anyDatabase = [
  ...[
    'audiences',
    'auth',
    'callers',
    'cost',
    'division',
    'files',
    'flusher',
    'folder-store',
    'gate',
  ],
  ...[
    'http-parts',
    'mounted',
    'options',
    'own-verify',
    'pull-cost',
    'push-cost',
    'shares',
    'sign-in',
  ],
];

/**
 * What is sent in pages, because it is too large for one answer; and states that are too large. The SQL and the limits are the same on both; PGlite has
 * the other tests of pulling, pushing and images, and all of these by night.
 */
const large = [
  ...['joins-large', 'large-entry', 'member-limits'],
  ...['pull-large', 'reducer-limits', 'refill', 'refill-client', 'table-time'],
];
/** Long ones, about rules that are the authority's or the client's. */
const ruled = [
  'filter',
  'isolation-hidden',
  'joins',
  'lost-client',
  'poke',
  'same-ids',
  'schema-sequences',
  'sockets',
  'streams-client',
  'tables',
];
const postgresOnly = byNight ? [] : [...anyDatabase, ...large, ...ruled];

/** They take longest, a minute or more each; a run that came to them last would have a processor idle. */
const long = /\/(storm[^/]*|idle|kills|account|one-pusher|kill|outage|service|stuck)\.test\.ts$/;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => long.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    // One more than the processors of a small machine: most tests wait for a browser or a database.
    maxWorkers: 3,
    sequence: { sequencer: LongFirst },
    projects: [
      project('unit', ['test/js/**/*.test.ts', 'test/contract/**/*.test.ts'], {
        ...limits(60_000),
      }),
      project('tidy', ['test/tidy/**/*.test.ts'], limits(30_000)),
      project('server', ['test/server/*.test.ts'], {
        ...slow,
        exclude: postgresOnly.map((name) => `test/server/${name}.test.ts`),
        globalSetup: initialised,
      }),
      // The same tests on PostgreSQL, but those that need no database, or are about PGlite's files, and the tests of several nodes.
      project('server-postgres', ['test/server/**/*.test.ts'], {
        ...slow,
        exclude: ['test/server/{directory-lock,disk-full,pglite,start,statistics}.test.ts'],
        globalSetup: here('./test/server/support/postgres.ts'),
      }),
      // Browsers mostly wait, so three files run side by side, each with profiles, a server and ports of its own. No test is
      // given up on early: a machine may have two cores.
      project('browser', ['test/browser/**/*.test.ts'], browsers),
      // The same scenes in three engines.
      project('engines', ['test/engines/**/*.test.ts'], browsers),
      // The packed package in fresh projects of several bundlers.
      project('package', ['test/package/*.test.ts'], {
        ...limits(120_000, 300_000),
        fileParallelism: false,
        globalSetup: here('./test/package/support/packed.ts'),
      }),
      // What takes long: `npm run nightly`.
      project('nightly', ['test/nightly/**/*.test.ts'], {
        ...limits(3_600_000, 120_000),
        fileParallelism: false,
      }),
    ],
  },
});
