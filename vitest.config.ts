import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { quickStart } from './test/support/initialised.ts';
import { keepFilesInMemory } from './test/support/memory-folder.ts';
import { patience, rememberSlowness } from './test/support/patience.ts';
import { patterns, projects, published } from './test/support/projects.mjs';
import { byNight } from './test/support/rounds.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Tests see the sources by the package's published names. The wasm modules come from dist/, where `npm run build` puts them.
const alias = Object.entries(published).map(([name, path]) => ({
  find: new RegExp(`^${name}$`),
  replacement: here(`./${path}`),
}));

// Whatever waits does so as long as this machine needs.
rememberSlowness();
// By night there may be more files than memory.
if (!byNight) keepFilesInMemory();
const setupFiles = [here('./test/support/patient.ts'), here('./test/support/watched.ts')];

const made = (name: string, include: string[], more: object) => ({
  resolve: { alias },
  test: { name, include, environment: 'node' as const, expect: patient, setupFiles, ...more },
});
const project = (name: keyof typeof projects, more: object) => {
  const exclude = [...configDefaults.exclude, ...projects[name].except];
  return made(name, patterns(projects[name]), { exclude, ...more });
};

const limits = (test: number, hook = 30_000) => ({
  testTimeout: patience(test),
  hookTimeout: patience(hook),
});

/** Servers on PGlite start on copies of it. */
const initialised = here('./test/support/initialised.ts');
/** And the pages of the tests with browsers are built once. */
const builtSite = here('./test/browser/support/built-site.ts');
const browsers = { ...limits(300_000, 120_000), globalSetup: [initialised, builtSite] };
const slow = limits(120_000, 120_000);

/** What is waited for may take its time on a machine under load; nothing is waited for without a limit. */
const patient = { poll: { timeout: patience(30_000) } };

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
      project('unit', limits(60_000)),
      project('tidy', limits(30_000)),
      project('server', { ...slow, globalSetup: initialised, execArgv: [...quickStart] }),
      project('server-postgres', {
        ...slow,
        globalSetup: here('./test/server/support/postgres.ts'),
      }),
      // Browsers mostly wait, so three files run side by side, each with profiles, a server and ports of its own. No test is
      // given up on early: a machine may have two cores.
      project('browser', browsers),
      project('engines', browsers),
      project('package', {
        ...limits(120_000, 300_000),
        fileParallelism: false,
        globalSetup: here('./test/package/support/packed.ts'),
      }),
      // What takes long: `npm run nightly`.
      made('nightly', ['test/nightly/**/*.test.ts'], {
        ...limits(3_600_000, 120_000),
        fileParallelism: false,
      }),
    ],
  },
});
