// Importing the package does nothing: no global is made or replaced, nothing keeps the process alive,
// and nothing of a browser is needed. The built package is what users import, so that is what is imported here.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { patience } from '../support/patience.ts';

const run = promisify(execFile);
const dist = (file: string) => new URL(`../../dist/${file}`, import.meta.url).href;
const LIMIT_MS = patience(20_000);

/** Runs in a process of its own: prints what an import changed, and has nothing more to do. */
const script = (url: string) => `
  // By value: Node makes some of its globals when they are first read.
  const describe = () => new Map(Reflect.ownKeys(globalThis).map((key) => [key, globalThis[key]]));
  describe();
  const before = describe();
  const names = Object.keys(await import(${JSON.stringify(url)}));
  const after = describe();
  const changed = [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => !Object.is(before.get(key), after.get(key))).map(String);
  const listeners = process.eventNames().map(String);
  console.log(JSON.stringify({ names, changed, listeners }));
`;

describe('importing in Node', () => {
  test.each([
    ['index.js', 'open'],
    ['testing.js', 'memory'],
  ])('%s has no side effects, and the process ends by itself', async (file, name) => {
    const baseline = await run(process.execPath, [
      '--input-type=module',
      '-e',
      script('node:path'),
    ]);
    // The time limit is the proof that nothing keeps the process alive: past it execFile rejects.
    const { stdout } = await run(
      process.execPath,
      ['--input-type=module', '-e', script(dist(file))],
      { timeout: LIMIT_MS, cwd: fileURLToPath(new URL('.', import.meta.url)) },
    );
    const found = JSON.parse(stdout);
    const expected = JSON.parse(baseline.stdout);
    expect(found.names).toContain(name);
    expect(found.changed).toEqual([]);
    expect(found.listeners).toEqual(expected.listeners);
  });
});
