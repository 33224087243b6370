// Runs CMake by its presets. Ninja decides which files are out of date. It does not notice a list of
// sources that was added or removed: then we configure again.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { build, root } from './paths.mjs';
import { run } from './run.mjs';

/** The lists of sources. To add or remove one changes the build, although no file that CMake has read changes. */
function visibleLists() {
  const folders = ['src', 'test/core'].filter((folder) => existsSync(join(root, folder)));
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true }).map((name) =>
        join(folder, String(name)),
      ),
    )
    .filter((name) => name.endsWith('sources.cmake'))
    .sort();
}

const kLock = 'skerry.lock';

/** CMake refuses a folder that was configured elsewhere, as in a checkout that was copied: it is configured from scratch. */
function clearIfMoved(folder) {
  const cache = join(folder, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (home === root) return;
  for (const name of readdirSync(folder)) {
    if (name !== kLock) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Configures if necessary, and builds. `env`: for the first configuration, which chooses a compiler by CXX. */
export async function buildPreset(preset, targets = [], env = {}) {
  const folder = join(build, preset);
  mkdirSync(folder, { recursive: true });
  // Two builds in one folder would disturb each other.
  await withLock(join(folder, kLock), async () => {
    clearIfMoved(folder);
    const stamp = join(folder, 'skerry.lists');
    const presets = readFileSync(join(root, 'CMakePresets.json'));
    const wanted = createHash('sha256').update(presets).update(visibleLists().join('\n'));
    const digest = wanted.digest('hex');
    const ready = existsSync(join(folder, 'build.ninja')) && existsSync(stamp);
    if (!ready || readFileSync(stamp, 'utf8') !== digest) {
      await run('cmake', ['--preset', preset], { cwd: root, env });
      writeFileSync(stamp, digest);
    }
    const chosen = targets.flatMap((target) => ['--target', target]);
    await run('cmake', ['--build', '--preset', preset, ...chosen], { cwd: root });
  });
}
