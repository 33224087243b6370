// Goal: what a release drops or changes never takes along what users have done under the release before: it is in a row,
// or in the inbox with its content, and a release that brings the place back makes it. Method: the table of
// docs/schema-changes.md, a case for each row, on a real server; each with a client that is updated while it has pending
// changes, with one that had sent them, and with one that stays in the release before, which the server accepts.

import { type Conflict, schema, t, table } from 'skerry';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Deployment, Profile } from './support/releases.ts';

const ids = { id: t.string() };
const day = new Date(1_760_000_000_000);
const bytes = new Uint8Array([1, 2, 3]);

const former = {
  cards: table(
    {
      title: t.string(),
      points: t.number().default(0),
      note: t.string().optional(),
      due: t.date().optional(),
    },
    ids,
  ),
  files: table({ name: t.string(), data: t.bytes().optional() }, ids),
  links: table({ title: t.string(), file: t.ref('files').optional() }, ids),
  sizes: table({ size: t.enum(['s', 'm', 'l']).default('s') }, ids),
  words: table({ word: t.string().optional() }, ids),
  needs: table({ value: t.string().optional() }, ids),
  marks: table({ text: t.string() }, ids),
};
/** Each table has lost, or changed, something. */
const later = {
  cards: table({ title: t.string(), estimate: t.number().default(0) }, ids),
  links: table({ title: t.string() }, ids),
  sizes: table({ size: t.enum(['s', 'l']).default('s') }, ids),
  words: table({ word: t.enum(['yes', 'no']).optional() }, ids),
  needs: table({ value: t.string().default('none') }, ids),
  marks: table({ text: t.string() }),
};
const schemas = [
  schema(former, { version: 1 }),
  schema(later, { version: 2, accepts: [1] }),
  schema(former, { version: 3, accepts: [1, 2] }),
];

type Tx = Parameters<Parameters<Profile['db']['transact']>[0]>[0];
type Rows = ReturnType<Profile['rows']>;
type At = readonly [table: string, key: string];

interface Row {
  readonly change: string;
  /** Under the release before. */
  readonly make: (tx: Tx) => void;
  readonly at: At;
  /** What the inbox has of it under the next release; null: nothing. */
  readonly mine: object | null;
  /** The row under the next release; null: there is none. */
  readonly rest: object | null;
  /** What the row has once a release has brought the place back, and the entry was retried. */
  readonly again: object;
}

const of = (tx: Tx, name: string) => tx[name] as NonNullable<Tx[string]>;

const rows: readonly Row[] = [
  {
    change: 'a prop is dropped that a client has filled with its default',
    make: (tx) => of(tx, 'cards').create({ id: 'plain', title: 'plain' }),
    at: ['cards', 'plain'],
    mine: null,
    rest: { title: 'plain' },
    again: { title: 'plain', points: 0 },
  },
  {
    change: 'props are dropped that a new object has values for',
    make: (tx) => of(tx, 'cards').create({ id: 'made', title: 'made', points: 5, due: day }),
    at: ['cards', 'made'],
    mine: { points: 5, due: day },
    rest: { title: 'made' },
    again: { title: 'made', points: 5, due: day.getTime() },
  },
  {
    change: 'a prop is dropped that was all that a change was about',
    make: (tx) => of(tx, 'cards').update('noted', { note: 'a note' }),
    at: ['cards', 'noted'],
    mine: { note: 'a note' },
    rest: { title: 'noted' },
    again: { note: 'a note' },
  },
  {
    change: 'a prop is dropped that something was added to',
    make: (tx) => of(tx, 'cards').inc('counted', { points: 2 }),
    at: ['cards', 'counted'],
    mine: { points: 2 },
    rest: { title: 'counted' },
    again: { title: 'counted' },
  },
  {
    change: 'a prop has another name: the one is dropped, the other added',
    make: (tx) => of(tx, 'cards').update('renamed', { title: 'changed', points: 8 }),
    at: ['cards', 'renamed'],
    mine: { points: 8 },
    rest: { title: 'changed', estimate: 0 },
    again: { title: 'changed', points: 8 },
  },
  {
    change: 'a table is dropped',
    make: (tx) => of(tx, 'files').create({ id: 'file', name: 'file', data: bytes }),
    at: ['files', 'file'],
    mine: { name: 'file', data: bytes },
    rest: null,
    again: { name: 'file', data: bytes },
  },
  {
    change: 'a table is dropped, and the change was about others, too',
    make: (tx) => {
      of(tx, 'words').create({ id: 'with' });
      of(tx, 'files').create({ id: 'other', name: 'other' });
    },
    at: ['files', 'other'],
    mine: { name: 'other' },
    rest: null,
    again: { name: 'other' },
  },
  {
    change: 'a table is dropped, and a ref to it',
    make: (tx) => of(tx, 'links').create({ id: 'link', title: 'link', file: 'file' }),
    at: ['links', 'link'],
    mine: { file: 'file' },
    rest: { title: 'link' },
    again: { title: 'link', file: 'file' },
  },
  {
    change: 'a member of an enum is removed',
    make: (tx) => of(tx, 'sizes').create({ id: 'size', size: 'm' }),
    at: ['sizes', 'size'],
    mine: { size: 'm' },
    rest: { size: 's' },
    again: { size: 'm' },
  },
  {
    change: 'a prop has another type, which the value does not fit',
    make: (tx) => of(tx, 'words').create({ id: 'word', word: 'perhaps' }),
    at: ['words', 'word'],
    mine: { word: 'perhaps' },
    rest: { word: null },
    again: { word: 'perhaps' },
  },
  {
    change: 'a prop has another type, which the value fits',
    make: (tx) => of(tx, 'words').create({ id: 'fits', word: 'yes' }),
    at: ['words', 'fits'],
    mine: null,
    rest: { word: 'yes' },
    again: { word: 'yes' },
  },
  {
    change: 'a prop may not be null any more, and was cleared',
    make: (tx) => of(tx, 'needs').update('need', { value: null }),
    at: ['needs', 'need'],
    mine: { value: null },
    rest: { value: 'needed' },
    again: { value: null },
  },
  {
    change: 'the ids of a table are of another kind',
    make: (tx) => of(tx, 'marks').create({ id: 'mark', text: 'mark' }),
    at: ['marks', 'mark'],
    mine: { text: 'mark' },
    rest: null,
    again: { text: 'mark' },
  },
];

/** What is there before, in the release before. */
function seed(tx: Tx): void {
  for (const id of ['noted', 'counted', 'renamed']) of(tx, 'cards').create({ id, title: id });
  of(tx, 'needs').create({ id: 'need', value: 'needed' });
}

interface Seen {
  readonly rows: Rows;
  readonly inbox: readonly Conflict[];
  /** The codes and sentences with which a retry was refused before there was a place, by key. */
  readonly refused: ReadonlyMap<string, Error & { readonly code?: string }>;
  readonly afterwards: readonly Conflict[];
  readonly again: Rows;
  readonly left: readonly Conflict[];
  readonly fresh: Rows;
}

const deployment = new Deployment(schemas);
const kinds = ['pending', 'sent', 'accepted'] as const;
type Kind = (typeof kinds)[number];
const profiles = new Map<Kind, Profile>();
const seen = new Map<Kind, Seen>();

async function retryAll({ db }: Profile): Promise<Seen['refused']> {
  const refused = new Map<string, Error>();
  for (const { id, key } of db.conflicts.all()) {
    // One that came along with another is not there any more.
    if (!db.conflicts.all().some((entry) => entry.id === id)) continue;
    await db.conflicts.resolve(id, 'retry').catch((error: Error) => refused.set(key, error));
  }
  return refused;
}

/** Windows are notified of what is in the inbox after the transaction that put it there. */
async function filled({ db }: Profile): Promise<void> {
  const { length } = rows.filter(({ mine }) => mine !== null);
  const found = vi.waitFor(() => expect(db.conflicts.all()).toHaveLength(length), 5_000);
  // The tests say what is missing.
  await found.catch(() => {});
}

const synced = ({ db }: Profile) => db.sync.waitForSync({ timeoutMs: 30_000 });

beforeAll(async () => {
  await deployment.deploy(1);
  for (const kind of kinds) {
    const profile = await new Profile(deployment, kind).open(1);
    profiles.set(kind, profile);
    await profile.db.transact(seed).durable;
    await synced(profile);
    if (kind === 'pending') profile.db.sync.pause();
    profile.offline = true;
    for (const { make } of rows) await profile.db.transact(make).durable;
    // The others have sent their changes, and got no answer.
    if (kind !== 'pending')
      await vi.waitFor(() =>
        expect((profile.db.sync.status as { error: unknown }).error).not.toBeNull(),
      );
  }
  await deployment.deploy(2);
  for (const [kind, profile] of profiles) {
    if (kind !== 'accepted') await profile.open(2);
    profile.offline = false;
    await synced(profile);
  }
  const partly = new Map<Kind, Pick<Seen, 'rows' | 'inbox' | 'refused' | 'afterwards'>>();
  for (const [kind, profile] of profiles) {
    await filled(profile);
    const inbox = profile.db.conflicts.all();
    const shown = profile.rows();
    const refused = kind === 'accepted' ? new Map<string, Error>() : await retryAll(profile);
    partly.set(kind, { rows: shown, inbox, refused, afterwards: profile.db.conflicts.all() });
  }
  await deployment.deploy(3);
  for (const [kind, profile] of profiles) {
    await profile.open(3);
    await synced(profile);
    await retryAll(profile);
    await synced(profile);
    const fresh = await new Profile(deployment, kind).open(3);
    await synced(fresh);
    seen.set(kind, {
      ...(partly.get(kind) as NonNullable<ReturnType<typeof partly.get>>),
      again: profile.rows(),
      left: profile.db.conflicts.all(),
      fresh: fresh.rows(),
    });
    await fresh.close();
  }
}, 180_000);

afterAll(async () => {
  for (const profile of profiles.values()) await profile.close();
  await deployment.remove();
});

const rowOf = (all: Rows, [name, key]: At) => all[name]?.[key] ?? null;

describe.each(kinds)('of a client whose changes were %s', (kind) => {
  const its = () => seen.get(kind) as Seen;

  test.each(rows)('$change', ({ at: [name, key], mine, rest, again }) => {
    const { inbox, refused, afterwards } = its();
    const entries = inbox.filter((entry) => entry.table === name && entry.key === key);
    expect(entries.map((entry) => entry.mine)).toEqual(mine === null ? [] : [mine]);
    for (const entry of entries) {
      expect(entry).toMatchObject({ reason: 'dropped', code: 'no_place' });
      expect(entry.detail).toContain(name);
      for (const prop of Object.keys(rest === null ? {} : (entry.mine ?? {})))
        expect(entry.detail).toContain(prop);
    }
    if (kind !== 'accepted') {
      expect(rowOf(its().rows, [name, key])).toEqual(
        rest === null ? null : expect.objectContaining(rest),
      );
      // A retry without a place destroys nothing.
      for (const entry of entries) {
        expect(refused.get(key)).toMatchObject({ name: 'UpdateNeededError', code: 'no_place' });
        expect(refused.get(key)?.message).toContain(name);
        expect(afterwards).toContainEqual(entry);
      }
    }
    expect(rowOf(its().again, [name, key])).toMatchObject(again);
  });

  test('no other entry is in the inbox, and none is left once all are made', () => {
    const named = ({ table: name, key }: Conflict) => `${name}/${key}`;
    const expected = rows.filter(({ mine }) => mine !== null).map(({ at }) => at.join('/'));
    expect(its().inbox.map(named).sort()).toEqual(expected.sort());
    expect(its().left).toEqual([]);
  });

  test('its rows are those of the server', () => {
    expect(its().fresh).toEqual(its().again);
  });
});

test('a client of the release before shows what the server has stored', () => {
  const { rows: shown } = seen.get('accepted') as Seen;
  expect(rowOf(shown, ['cards', 'made'])).toMatchObject({ title: 'made', points: 0, due: null });
  expect(rowOf(shown, ['cards', 'noted'])).toMatchObject({ note: null });
  expect(rowOf(shown, ['files', 'file'])).toBeNull();
  expect(rowOf(shown, ['sizes', 'size'])).toMatchObject({ size: 's' });
});
