// Finds a clang with libFuzzer for the nightly run (tools/fuzz.mjs), or the Debian packages that install one.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, which } from './run.mjs';

/** The versions that can capture structured bindings in lambdas. The version that was tested is looked for first. */
const kVersions = [19, 20, 21, 22, 18, 17, 16];
const kTarget =
  'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n';

/** Whether it is new enough, and has libFuzzer and the sanitizers. */
async function works(compiler) {
  const { code, output } = await run(compiler, ['-dumpversion'], { allowFailure: true });
  if (code !== 0 || !(Number.parseInt(output, 10) >= Math.min(...kVersions))) return false;
  const folder = mkdtempSync(join(tmpdir(), 'skerry-clang-'));
  try {
    const source = join(folder, 'target.cc');
    writeFileSync(source, kTarget);
    const flags = ['-fsanitize=fuzzer,address,undefined', source, '-o', join(folder, 'target')];
    return (await run(compiler, flags, { allowFailure: true })).code === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The path of a clang++ with libFuzzer, or undefined. */
export async function findFuzzer() {
  for (const name of [...kVersions.map((version) => `clang++-${version}`), 'clang++']) {
    const path = which(name);
    if (path && (await works(path))) return path;
  }
  return undefined;
}

/** Debian's packages of the first of these versions that it has, or an empty list. */
export async function fuzzerPackages() {
  const { output } = await run('apt-cache', ['pkgnames', 'libclang-rt-'], { allowFailure: true });
  const there = new Set(output.split('\n'));
  const version = kVersions.find((each) => there.has(`libclang-rt-${each}-dev`));
  return version === undefined ? [] : [`clang-${version}`, `libclang-rt-${version}-dev`];
}
