// bench/ledger.csv: what workloads cost beside their floors, run after run, so that speed that is lost is seen. One line for
// each workload of a run: ratios, because they mean something on any machine, and the machine's own speed.

import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { root } from '../../tools/lib/paths.mjs';

export const kLedger = 'bench/ledger.csv';
export const kLedgerHead = 'commit,date,ms before,ms after,part,workload,times its floor';
/** What a benchmark runs. A result of other sources than the commit's would be of no commit. */
const kMeasured = ['src', 'js', 'wasm', 'server', 'bench', `:!${kLedger}`];

const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();

/** The commit that is measured, and its day: what a table or a line of the ledger is of. */
export function measuredCommit() {
  return {
    commit: git('rev-parse', '--short=12', 'HEAD'),
    date: new Date().toISOString().slice(0, 10),
    isClean: git('status', '--porcelain', '--', ...kMeasured) === '',
  };
}

/** What stands below a table. */
export const measuredLine = ({ commit, date, isClean }) =>
  `Measured at ${commit}${isClean ? '' : ', with changes'}, on ${date}.`;

const cell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * The lines of one part of a run. `speeds`: ms of the calibrating loop before and after; `ratios`: [{ name, ratio }], how
 * many times its floor a workload costs: below 1 is better.
 */
export function ledgerLines({ commit, date }, part, speeds, ratios) {
  const [before, after] = speeds.map((ms) => ms.toFixed(0));
  return ratios
    .filter(({ ratio }) => Number.isFinite(ratio))
    .map(({ name, ratio }) =>
      [commit, date, before, after, part, cell(name), ratio.toPrecision(3)].join(','),
    );
}

export function appendToLedger(path, lines) {
  if (!existsSync(path)) writeFileSync(path, `${kLedgerHead}\n`);
  appendFileSync(path, lines.map((line) => `${line}\n`).join(''));
}
