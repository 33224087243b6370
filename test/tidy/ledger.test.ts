// Goal: the figures of the documents are of this project as it is today, or of not long ago. Method: ledger.ts, by git's
// history; and tables of what it must notice.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Ago, kMostCommits, ledgerProblems } from './ledger.ts';
import { texts } from './texts.ts';

const cwd = fileURLToPath(new URL('../../', import.meta.url));
const git = (...args: string[]) =>
  execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

/** A shallow clone, or a new repository of these files, does not know how old a commit is: its first commit adds the ledger. */
const added = git('log', '--diff-filter=A', '--format=%h %p', '--', 'bench/ledger.csv');
const isHistoryCut = !/^\w+ \w/m.test(added);
const ago: Ago = (commit) => {
  try {
    git('merge-base', '--is-ancestor', commit, 'HEAD');
    return Number(git('rev-list', '--count', `${commit}..HEAD`));
  } catch {
    return null; // git knows no such commit
  }
};

test.skipIf(isHistoryCut)('the ledger and its tables are not old', () => {
  const [ledger, page] = ['bench/ledger.csv', 'docs/performance.md'].map((path) => texts.get(path));
  expect(ledgerProblems(ledger ?? '', page ?? '', ago)).toEqual([]);
});

describe('what is noticed', () => {
  const head = 'commit,date,ms before,ms after,part,workload,times its floor';
  const line = (commit: string) => `${commit},2026-01-02,101,99,quick,"one write, strict",2.34`;
  const ledgerOf = (...commits: string[]) => `${[head, ...commits.map(line)].join('\n')}\n`;
  const table = (part: string, commit: string) =>
    `<!-- bench ${part}: begin -->\n| a |\nMeasured at ${commit}, on 2026-01-02.\n<!-- bench ${part}: end -->\n`;
  const pageOf = (quick: string, peers: string) => table('quick', quick) + table('peers', peers);
  // c000012 was 12 commits ago.
  const ofTest: Ago = (commit) => (/^c/.test(commit) ? Number(commit.slice(1)) : null);
  const named = (number: number) => `c${String(number).padStart(6, '0')}`;
  const limit = named(kMostCommits);
  const past = named(kMostCommits + 1);

  test.each([
    ['nothing', ledgerOf(named(300), limit), pageOf(limit, limit), ''],
    ['tables that are newer', ledgerOf(limit), pageOf(named(3), limit), ''],
    ['a line that is too old', ledgerOf(named(3), past), pageOf(past, past), '151 commits ago'],
    ['a table that is older', ledgerOf(limit), pageOf(limit, past), 'table of peers is older'],
    ['a table without a commit', ledgerOf(limit), table('peers', limit), 'table of quick does not'],
    [
      'a table of changes',
      ledgerOf(limit),
      pageOf(`${limit}, with changes`, limit),
      'of quick does not',
    ],
    ['a commit of another history', ledgerOf('abc1234'), pageOf(limit, limit), 'is no commit'],
    ['a table of another history', ledgerOf(limit), pageOf(limit, 'abc1234'), 'is no commit'],
    ['no ledger', '', pageOf(limit, limit), 'its first line'],
    ['an empty ledger', `${head}\n`, pageOf(limit, limit), 'has no measurement'],
    ['a line of something else', `${ledgerOf(limit)}2.34\n`, pageOf(limit, limit), 'line 3 is no'],
  ])('%s', (_, ledger, page, problem) => {
    const problems = ledgerProblems(ledger, page, ofTest);
    if (problem === '') expect(problems).toEqual([]);
    else expect(problems.join('; ')).toContain(problem);
  });
});
