// The fuzz tests (test/fuzz), for longer than a test may take: a part of `npm run nightly`. First changes that keep the
// structure, with another seed each day, under the sanitizers. Then libFuzzer over each target for half a minute, if
// the machine has a clang with it or can install one. Failing inputs are written into build/fuzz. Inputs that reached
// new code stay in build/fuzz/found, where the next night begins.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, fuzzer } from './bootstrap.mjs';
import { buildPreset } from './lib/cmake.mjs';
import { build } from './lib/paths.mjs';
import { main, run } from './lib/run.mjs';

const kTimes = 40;
const kSecondsEach = 30;
const kDayMs = 86_400_000;

await main(async () => {
  await bootstrap({ test: true, browsers: [] });
  const folder = join(build, 'fuzz');
  mkdirSync(folder, { recursive: true });
  await buildPreset('debug', ['skerry_core_test']);
  const seed = process.env.SKERRY_FUZZ_SEED ?? `${Math.floor(Date.now() / kDayMs)}`;
  console.log(`seed ${seed}`);
  const { code } = await run(join(build, 'debug', 'skerry_core_test'), ['-tc=fuzz:*'], {
    cwd: folder,
    env: { SKERRY_FUZZ_SEED: seed, SKERRY_FUZZ_TIMES: `${kTimes}`, SKERRY_ROUNDS: 'all' },
    stream: true,
    allowFailure: true,
  });
  let failed = code !== 0;
  const clang = await fuzzer();
  if (clang) failed = !(await libFuzzer(folder, clang)) || failed;
  else console.log('no clang 16 or newer with libFuzzer here: it is left out');
  if (failed) process.exitCode = 1;
});

async function libFuzzer(folder, clang) {
  await buildPreset('fuzz', ['skerry_fuzz'], { CXX: clang });
  const program = join(build, 'fuzz', 'skerry_fuzz');
  const { output } = await run(program, [], { cwd: folder, allowFailure: true });
  const targets = [...output.matchAll(/^ {2}([a-z-]+)$/gm)].map(([, name]) => name);
  let whole = targets.length > 0;
  for (const target of targets) {
    const found = join(folder, 'found', target);
    mkdirSync(found, { recursive: true });
    const limits = [`-max_total_time=${kSecondsEach}`, '-timeout=60', '-rss_limit_mb=4096'];
    const args = [found, ...limits, `-artifact_prefix=${target}-`];
    const { code, output: said } = await run(program, args, {
      cwd: folder,
      env: { SKERRY_FUZZ_TARGET: target },
      allowFailure: true,
    });
    console.log(`  ${code === 0 ? '✓' : '✗'} ${target}`);
    if (code !== 0) console.log(said.split('\n').slice(-60).join('\n'));
    whole = whole && code === 0;
  }
  return whole;
}
