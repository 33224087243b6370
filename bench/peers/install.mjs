// The packages of the other systems, which nothing else of this repository needs: installed into build/peers, by a lock
// file of their own, when they are measured first. Their peer dependencies contradict each other (.npmrc says to ignore
// them), which is one more reason to keep them out of the workspace.

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../../tools/lib/lock.mjs';
import { build, root } from '../../tools/lib/paths.mjs';
import { run, step } from '../../tools/lib/run.mjs';

const kFiles = ['package.json', 'package-lock.json', '.npmrc'];
const kFolder = join(build, 'peers');

/** Gives the folder that has their node_modules. */
export async function installPeers() {
  const packages = join(root, 'bench', 'peers', 'packages');
  const wanted = kFiles.map((file) => readFileSync(join(packages, file), 'utf8')).join('\n');
  const stamp = join(kFolder, 'installed');
  mkdirSync(kFolder, { recursive: true });
  await withLock(join(build, 'peers.lock'), async () => {
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
    await step('packages of the other systems', async () => {
      for (const file of kFiles) copyFileSync(join(packages, file), join(kFolder, file));
      await run('npm', ['ci'], { cwd: kFolder });
      writeFileSync(stamp, wanted);
    });
  });
  return join(kFolder, 'node_modules');
}
