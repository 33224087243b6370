// `npm run mutants`: do the tests notice mistakes? Makes each mistake of test/mutants/mutants.mjs in a copy of the
// tree, builds it, and runs the tests that should notice it until one fails: the core's tests, or, for a mistake in the
// server or the client, the test file that it names. Fails if a mistake is not noticed. --write writes each result into
// the table of docs/trust.md, and --missing makes those that are not in it. `npm run mutants -- <part of a name>` makes only
// the mistakes with such a name, `npm run mutants -- server` all of one kind: core, server, client.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mutants } from '../test/mutants/mutants.mjs';
import { bootstrap } from './bootstrap.mjs';
import { buildWasm } from './build.mjs';
import { root } from './lib/paths.mjs';
import { main, SetupError, seconds } from './lib/run.mjs';
import { client } from './mutants/client.mjs';
import { core } from './mutants/core.mjs';
import { server } from './mutants/server.mjs';

const kKinds = { core, server, client };
const kBegin = '<!-- mutants: npm run mutants -- --write -->';
const kEnd = '<!-- end of mutants -->';

const row = ({ name, file, caught }) => `| ${name} | \`${file}\` | ${caught ?? '**nothing**'} |`;

const path = join(root, 'docs', 'trust.md');

function readTable() {
  const [before, rest] = readFileSync(path, 'utf8').split(kBegin);
  const [table, after] = rest?.split(kEnd) ?? [];
  if (after === undefined) throw new SetupError(`${path} has no place for the table.`);
  const lines = table.split('\n');
  const rowOf = ({ name }) => lines.find((line) => line.startsWith(`| ${name} |`)) ?? null;
  return { before, after, rowOf };
}

/** Writes the row of this result into the table. All others stay, in the order of the mistakes. */
function write(result) {
  const { before, after, rowOf } = readTable();
  const rows = mutants.flatMap((mutant) =>
    mutant.name === result.name ? row(result) : (rowOf(mutant) ?? []),
  );
  const head = ['| the mistake | where | the first test that fails |', '|---|---|---|'];
  writeFileSync(path, [before + kBegin, ...head, ...rows, kEnd + after].join('\n'));
}

function isNamed({ kind, name }, words) {
  return (
    words.length === 0 ||
    words.some((word) => (word in kKinds ? kind === word : name.includes(word)))
  );
}

await main(async () => {
  const flag = { type: 'boolean', default: false };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { write: flag, missing: flag },
  });
  const { rowOf } = readTable();
  const wanted = mutants.filter(
    (mutant) => isNamed(mutant, positionals) && !(values.missing && rowOf(mutant) !== null),
  );
  if (wanted.length === 0) throw new SetupError('There is no such mistake.');
  const results = [];
  for (const [kind, { prepare, judge }] of Object.entries(kKinds)) {
    const these = wanted.filter((mutant) => mutant.kind === kind);
    if (these.length === 0) continue;
    const browsers = kind === 'client' ? ['Chromium'] : [];
    await bootstrap({ test: true, browsers, postgres: kind === 'server' });
    if (kind !== 'core') await buildWasm();
    const failing = await prepare(these);
    if (failing !== null) throw new SetupError(`Without any mistake "${failing}" fails.`);
    for (const mutant of these) {
      const result = await judge(mutant);
      results.push(result);
      if (values.write) write(result);
      console.log(`${result.caught === null ? '✗' : '✓'} ${result.name} (${seconds(result.ms)})`);
      console.log(`    ${result.caught ?? 'NOT NOTICED'}`);
    }
  }
  const survived = results.filter(({ caught }) => caught === null);
  console.log(`\n${results.length - survived.length} of ${results.length} mistakes were noticed.`);
  if (survived.length > 0) process.exitCode = 1;
});
