// Formats everything, or the files and folders named: Biome for TypeScript, JavaScript, JSON and
// CSS, clang-format for C++.

import { join, resolve } from 'node:path';
import { bootstrap } from './bootstrap.mjs';
import { cppFiles } from './lib/lint.mjs';
import { bin, root } from './lib/paths.mjs';
import { main, run } from './lib/run.mjs';

await main(async () => {
  await bootstrap({ test: true, browsers: [] });
  const named = process.argv.slice(2).map((path) => resolve(path));
  const chosen = (file) =>
    named.length === 0 || named.some((path) => file === path || file.startsWith(`${path}/`));
  const cpp = (await cppFiles()).filter(chosen);
  const clangFormat = join(root, '.toolchain', 'bin', 'clang-format');
  if (cpp.length > 0) await run(clangFormat, ['-i', ...cpp], { cwd: root });
  const paths = named.length > 0 ? named : ['.'];
  const options = ['check', '--write', '--no-errors-on-unmatched'];
  const result = await run(join(bin, 'biome'), [...options, ...paths], {
    cwd: root,
    allowFailure: true,
    stream: true,
  });
  process.exitCode = result.code;
});
