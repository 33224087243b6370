// `npm run bench [-- ledger | quick | modes | visit | peers | kills | growth | server | sql | streams | scope | fairness]`: what users feel, each beside the least that the same work
// can cost and beside what others make of it, in one run on one machine: ratios mean something, times are that machine's.
// Nothing here passes or fails by a time; it fails when an answer is wrong, when something durable is not in storage, or
// when something does not come.

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../tools/lib/paths.mjs';
import { main, SetupError } from '../tools/lib/run.mjs';
import { fairnessBench } from './fairness/main.mjs';
import { growthBench } from './growth.mjs';
import {
  appendToLedger,
  kLedger,
  ledgerLines,
  measuredCommit,
  measuredLine,
} from './lib/ledger.mjs';
import { writeSection } from './lib/report.mjs';
import { modesBench } from './modes.mjs';
import { killsBench } from './peers/kills.mjs';
import { peersBench } from './peers/main.mjs';
import { quickBench } from './quick.mjs';
import { rulesBench } from './rules.mjs';
import { scopeBench } from './scope.mjs';
import { serverBench } from './server/main.mjs';
import { sqlBench } from './sql.mjs';
import { streamsBench } from './streams/main.mjs';
import { visitBench } from './visit.mjs';

const note = (text) => console.error(text);

/** Each gives its text, and whether something failed that may not; some take names of systems. */
const kBenches = {
  quick: { run: () => quickBench(note) },
  modes: { run: (_, { rounds }) => modesBench({ rounds }, note) },
  visit: { run: (_, { rounds }) => visitBench({ rounds }, note) },
  peers: {
    named: true,
    run: (names, { rounds, cap }) => peersBench({ names, rounds, capMs: cap }, note),
  },
  kills: {
    named: true,
    run: (names, { kills, 'first-only': firstOnly, keep }) =>
      killsBench({ names, kills, firstOnly, keep }, note),
  },
  growth: { run: () => growthBench(note) },
  server: { run: () => serverBench(), withoutBrowser: true },
  rules: { run: () => rulesBench(note) },
  sql: { run: () => sqlBench(note), withoutBrowser: true },
  streams: { run: (_, { rounds }) => streamsBench({ rounds }, note) },
  scope: { run: () => scopeBench(note), withoutBrowser: true },
  fairness: {
    named: true,
    run: (names, { seconds }) => fairnessBench({ names, seconds }, note),
    withoutBrowser: true,
  },
};
/** The parts whose rows have floors. */
const kLedgerParts = ['quick', 'peers'];
const kUsage = `usage: npm run bench [-- ledger | ${Object.keys(kBenches).join(' | ')}] [names of systems] [--write]
  ledger                               ${kLedgerParts.join(' and ')}, written; and their ratios, appended to ${kLedger}
  [--rounds 3] [--cap 3000]            of modes, visit, peers and streams: how often; of peers: the milliseconds that a workload may take
  [--kills 30] [--first-only] [--keep] of kills: how many; only the browser's first process; profiles that lost something stay
  [--seconds 6]                        of fairness: how long each attack lasts; names are parts of attacks' names`;

const kNumbers = ['rounds', 'cap', 'kills', 'seconds'];
const kOptions = {
  write: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '3' },
  cap: { type: 'string', default: '3000' },
  kills: { type: 'string', default: '30' },
  seconds: { type: 'string', default: '6' },
  'first-only': { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
};

/** What was asked for, or null if it makes no sense. */
function parsed() {
  const { values, positionals } = parseArgs({ options: kOptions, allowPositionals: true });
  const [what, ...names] = positionals;
  const ledger = what === 'ledger';
  const chosen = what === undefined ? Object.keys(kBenches) : ledger ? kLedgerParts : [what];
  if (!chosen.every((name) => kBenches[name])) return null;
  // A table of some systems is none for docs/performance.md.
  if (names.length > 0 && (!kBenches[what]?.named || values.write)) return null;
  for (const name of kNumbers) {
    values[name] = Number(values[name]);
    if (!Number.isSafeInteger(values[name]) || values[name] <= 0) return null;
  }
  // All of it is what docs/performance.md is made of.
  return { chosen, names, values, ledger, write: values.write || ledger || what === undefined };
}

await main(async () => {
  const asked = parsed();
  if (!asked) throw new SetupError(kUsage);
  const wantsBrowser = asked.chosen.some((name) => !kBenches[name].withoutBrowser);
  if (wantsBrowser && !process.env.CHROMIUM_PATH)
    throw new SetupError('CHROMIUM_PATH names no Chromium: run it by `npm run bench`');
  const of = measuredCommit();
  if (asked.ledger && !of.isClean)
    throw new SetupError('The ledger is of commits: commit what is measured, and run it again.');
  const lines = [];
  for (const name of asked.chosen) {
    const { text, failed, speeds, ratios } = await kBenches[name].run(asked.names, asked.values);
    console.log(`\n${text}\n`);
    const section = kLedgerParts.includes(name) ? `${text}\n${measuredLine(of)}` : text;
    if (asked.write) writeSection(join(root, 'docs', 'performance.md'), name, section);
    if (failed) process.exitCode = 1;
    if (asked.ledger) lines.push(...ledgerLines(of, name, speeds, ratios));
  }
  // A run that failed is no measure.
  if (asked.ledger && !process.exitCode) appendToLedger(join(root, kLedger), lines);
});
