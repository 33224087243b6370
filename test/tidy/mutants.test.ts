// Goal: every mistake of test/mutants can still be made, or the night's run would stop at it; and the script of each hole
// (test/spec) has a mistake that it must notice. Method: making it, in memory.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Mutant, mutants, mutated } from '../mutants/mutants.mjs';

const root = join(import.meta.dirname, '../..');

test.each(mutants.map((mutant: Mutant) => [mutant.name, mutant] as const))('%s', (_, mutant) => {
  const text = readFileSync(join(root, mutant.file), 'utf8');
  expect(mutated(text, mutant)).not.toBe(text);
});

test('each hole that has a script has a mistake, too', () => {
  const folder = join(root, 'test/spec');
  const scripts = readdirSync(folder)
    .filter((name) => name.endsWith('_test.cc'))
    .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(/"hole (\d+): /g)])
    .map((match) => Number(match[1]));
  expect(scripts.length).toBeGreaterThan(0);
  const noticed = mutants.flatMap((mutant) => mutant.hole ?? []);
  expect([...new Set(noticed)].sort()).toEqual([...new Set(scripts)].sort());
});
