// `npm run mutants`: do the tests notice mistakes? Makes each mistake of test/mutants/mutants.mjs in a copy of the
// tree, builds it, and runs the tests that should notice it until one fails: the core's tests, or, for a mistake in the
// server or the client, the test file that it names. Fails if a mistake is not noticed. Each result is a row of
// a table in the build folder, and --missing makes those that are not in it. `npm run mutants -- <part of a name>` makes only
// the mistakes with such a name, `npm run mutants -- server` all of one kind: core, server, client.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { mutants } from '../test/mutants/mutants.mjs';
import { bootstrap } from './bootstrap.mjs';
import { buildWasm } from './build.mjs';
import { build } from './lib/paths.mjs';
import { main, SetupError, seconds } from './lib/run.mjs';
import { client } from './mutants/client.mjs';
import { core } from './mutants/core.mjs';
import { server } from './mutants/server.mjs';

const kKinds = { core, server, client };
const kTable = join(build, 'mutants', 'noticed.txt');
const kHead = ['| the mistake | where | the first test that fails |', '|---|---|---|'];

const row = ({ name, file, caught }) => `| ${name} | \`${file}\` | ${caught ?? '**nothing**'} |`;

/** The rows by the names of their mistakes. */
function readTable() {
  const text = existsSync(kTable) ? readFileSync(kTable, 'utf8') : '';
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  return new Map(rows.map((line) => [line.slice(2, line.indexOf(' | ')), line]));
}

/** Writes the row of this result. All others stay, in the order of the mistakes. */
function write(result) {
  const table = readTable().set(result.name, row(result));
  const rows = mutants.flatMap(({ name }) => table.get(name) ?? []);
  mkdirSync(dirname(kTable), { recursive: true });
  writeFileSync(kTable, `${[...kHead, ...rows].join('\n')}\n`);
}

function isNamed({ kind, name }, words) {
  return (
    words.length === 0 ||
    words.some((word) => (word in kKinds ? kind === word : name.includes(word)))
  );
}

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { missing: { type: 'boolean', default: false } },
  });
  const known = values.missing ? readTable() : new Map();
  const wanted = mutants.filter(
    (mutant) => isNamed(mutant, positionals) && !known.has(mutant.name),
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
      write(result);
      console.log(`${result.caught === null ? '✗' : '✓'} ${result.name} (${seconds(result.ms)})`);
      console.log(`    ${result.caught ?? 'NOT NOTICED'}`);
    }
  }
  const survived = results.filter(({ caught }) => caught === null);
  console.log(`\n${results.length - survived.length} of ${results.length} mistakes were noticed.`);
  if (survived.length > 0) process.exitCode = 1;
});
