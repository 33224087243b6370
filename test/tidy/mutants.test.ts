// Goal: every mistake of test/mutants can still be made, or the night's run would stop at it. Method: making it, in memory.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Mutant, mutants, mutated } from '../mutants/mutants.mjs';

const root = join(import.meta.dirname, '../..');

test.each(mutants.map((mutant: Mutant) => [mutant.name, mutant] as const))('%s', (_, mutant) => {
  const text = readFileSync(join(root, mutant.file), 'utf8');
  expect(mutated(text, mutant)).not.toBe(text);
});
