/** What `<skerry-conflicts>` says. Each text can be replaced: in another language, or by names that the application's users know. */
import type { Conflict, ConflictChange } from '../api/conflicts.ts';

export interface ConflictMessages {
  /** The name of the list, for screen readers. */
  readonly list: string;
  readonly empty: string;
  /** What an entry is about: its heading. */
  title(entry: Conflict): string;
  /** Why it is here, in a sentence. */
  reason(entry: Conflict): string;
  /** A row of the change. */
  row(change: ConflictChange): string;
  prop(table: string, prop: string): string;
  /** A value in words; undefined: as it is by default. */
  value(value: unknown, table: string, prop: string): string | undefined;
  readonly base: string;
  readonly mine: string;
  readonly theirs: string;
  readonly nothing: string;
  readonly youDeleted: string;
  readonly theyDeleted: string;
  /** Rows that are not shown. */
  more(count: number): string;
  readonly discard: string;
  /** The same where nothing is there. */
  readonly drop: string;
  readonly retry: string;
  readonly choose: string;
  readonly again: string;
  readonly settled: string;
  /** It was settled in another window first. */
  readonly gone: string;
  failed(detail: string): string;
}

const reasons: Readonly<Record<string, string>> = {
  unique: 'Another row has this value already.',
  forbidden: 'You may not change this.',
  revoked: 'You have lost the right to change this.',
  row_deleted: 'Somebody has deleted this.',
  overwritten: 'Somebody has changed this without having seen your change.',
  parent_deleted:
    'Somebody has deleted what this belongs to. Once that is back, the change can be made again.',
  depends: 'It needs another change that was refused.',
  no_place: 'This version of the application has no place for it.',
  outcome_unknown: 'It may have been made already: the device was away for too long to know.',
};

/** A name of code as words: `dueDate` and `due_date` are "Due date". */
export function inWords(name: string): string {
  const words = name.replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2').replaceAll(/[_/]+/g, ' ');
  const text = words.trim().toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const english: ConflictMessages = {
  list: 'Changes that need a decision',
  empty: 'No change needs a decision.',
  title: ({ mutation, table }) => {
    const name = mutation?.name ?? '';
    return inWords(name === '' || name.startsWith('skerry/') ? `change of ${table}` : name);
  },
  reason: ({ code, detail }) => reasons[code] ?? detail,
  row: ({ table, key, base, mine, theirs }) => {
    const named = [mine, theirs, base].find(
      (side) => typeof (side?.['name'] ?? side?.['title']) === 'string',
    );
    return `${inWords(table)}: ${named?.['name'] ?? named?.['title'] ?? key}`;
  },
  prop: (_, prop) => inWords(prop),
  value: () => undefined,
  base: 'Before',
  mine: 'Mine',
  theirs: 'Now',
  nothing: 'nothing',
  youDeleted: 'You deleted it.',
  theyDeleted: 'It is not there any more.',
  more: (count) => (count === 1 ? 'and one more row' : `and ${count} more rows`),
  discard: 'Keep what is there',
  drop: 'Drop my change',
  retry: 'Make my change again',
  choose: 'Save this choice',
  again: 'Create it again',
  settled: 'Settled.',
  gone: 'It was settled in another window.',
  failed: (detail) => `That did not work: ${detail}`,
};
