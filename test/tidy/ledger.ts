// What is wrong with bench/ledger.csv and the tables of docs/performance.md that it goes with: they are of a commit that is
// too long ago, or of different ones.

export const kMostCommits = 150;

/** How many commits ago a commit was; null: it is in no history. */
export type Ago = (commit: string) => number | null;

const kHead = 'commit,date,ms before,ms after,part,workload,times its floor';
const kLine =
  /^([0-9a-f]{7,40}),\d{4}-\d\d-\d\d,\d+,\d+,(\w+),(?:[^,"]+|"(?:[^"]|"")+"),[\d.e+-]+$/;
const kMeasured = /^Measured at ([0-9a-f]{7,40}), on \d{4}-\d\d-\d\d\.$/m;

function lineProblems(lines: readonly string[]): string[] {
  if (lines[0] !== kHead) return [`its first line is not "${kHead}"`];
  return lines.flatMap((line, i) =>
    i === 0 || kLine.test(line) ? [] : [`line ${i + 1} is no measurement: ${line}`],
  );
}

/** Of the section that `npm run bench` writes for a part. */
function tableProblem(part: string, page: string, ledgerAgo: number, ago: Ago): string[] {
  const [, section = ''] = page.split(`<!-- bench ${part}: begin -->`);
  const commit = kMeasured.exec(section.split('<!-- bench ')[0] ?? '')?.[1];
  if (commit === undefined)
    return [`the table of ${part} does not say at which commit it was measured`];
  const tableAgo = ago(commit);
  if (tableAgo === null) return [`the table of ${part} is of ${commit}, which is no commit`];
  return tableAgo > ledgerAgo ? [`the table of ${part} is older than the ledger's last line`] : [];
}

export function ledgerProblems(ledger: string, page: string, ago: Ago): string[] {
  const lines = ledger.trimEnd().split('\n');
  const wrong = lineProblems(lines);
  if (wrong.length > 0) return wrong;
  const last = kLine.exec(lines.at(-1) ?? '');
  if (last === null) return ['it has no measurement'];
  const [, commit = ''] = last;
  const ledgerAgo = ago(commit);
  if (ledgerAgo === null) return [`its last line is of ${commit}, which is no commit`];
  const old =
    ledgerAgo > kMostCommits
      ? [`its last line is of ${ledgerAgo} commits ago: npm run bench -- ledger`]
      : [];
  return [
    ...old,
    ...['quick', 'peers'].flatMap((part) => tableProblem(part, page, ledgerAgo, ago)),
  ];
}
