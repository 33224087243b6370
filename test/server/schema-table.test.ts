// Goal: each row of the table of docs/schema-changes.md says what happens. Method: a case for each of its rows, or several:
// a client with rows of the release before that opens the next one offline, and the server at its start, on a real
// database.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Migrations, schema, t, table } from 'skerry';
import { afterEach, describe, expect, test } from 'vitest';
import type { Database } from '../../server/src/db/database.ts';
import { Deployment, Profile } from './support/releases.ts';

const ids = { id: t.string() };
const uuid = '0199d3a0-0000-7000-8000-000000000001';
type Tables = Parameters<typeof schema>[0];
type Json = Readonly<Record<string, unknown>>;

interface Case {
  readonly former: Tables;
  readonly later: Tables;
  readonly migrations?: Migrations;
  /** The table of the row that there is, its id, and what it has, under the release before. */
  readonly row: readonly [table: string, id: string, values: Json];
  /** The same under the next release, offline: its table, and the row, or null. */
  readonly client: readonly [table: string, row: Json | null];
  /** What is found in SQL afterwards; a sentence: the start is refused by it. */
  readonly server: readonly [sql: string, found: unknown] | RegExp;
}

const note = (props: Parameters<typeof table>[0] = {}) =>
  table({ text: t.string(), ...props }, ids);
const former = { notes: note() };
const row: Case['row'] = ['notes', 'a', { text: 'x' }];
const one = (column: string) => `select ${column} as found from notes where id = 'a'`;

const cases: Readonly<Record<string, Readonly<Record<string, Case>>>> = {
  'A prop or table is added': {
    'an optional prop': {
      ...{ former, row, later: { notes: note({ more: t.string().optional() }) } },
      client: ['notes', { text: 'x', more: null }],
      server: [one('more'), null],
    },
    'a prop with a default': {
      ...{ former, row, later: { notes: note({ more: t.number().default(3) }) } },
      client: ['notes', { text: 'x', more: 3 }],
      server: [one('more::text'), '3'],
    },
    'a table': {
      ...{ former, row, later: { ...former, more: note() } },
      client: ['notes', { text: 'x' }],
      server: [`select count(*)::text as found from more`, '0'],
    },
    'a required prop without a default': {
      ...{ former, row, later: { notes: note({ more: t.string() }) } },
      client: ['notes', { text: 'x', more: null }],
      server: /notes\.more is new and required, but there are rows without it/,
    },
  },
  'A prop or table is dropped': {
    'a prop': {
      former: { notes: note({ rank: t.number() }) },
      later: former,
      row: ['notes', 'a', { text: 'x', rank: 7 }],
      client: ['notes', { text: 'x' }],
      server: [one('rank::text'), '7'],
    },
    'a table': {
      ...{ former: { ...former, others: note() }, later: { others: note() }, row },
      client: ['notes', null],
      server: [one('text'), 'x'],
    },
  },
  'A member of an enum is added or removed': {
    added: {
      former: { notes: note({ size: t.enum(['s']) }) },
      later: { notes: note({ size: t.enum(['m', 's']) }) },
      row: ['notes', 'a', { text: 'x', size: 's' }],
      client: ['notes', { text: 'x', size: 's' }],
      server: [one('size'), 's'],
    },
    removed: {
      former: { notes: note({ size: t.enum(['s', 'm']).default('s') }) },
      later: { notes: note({ size: t.enum(['s']).default('s') }) },
      row: ['notes', 'a', { text: 'x', size: 'm' }],
      client: ['notes', { text: 'x', size: 's' }],
      server: /notes\.size has no member "m" now, but there are rows with it/,
    },
  },
  'A prop has another type': {
    'of another kind of column': {
      former: { notes: note({ rank: t.string() }) },
      later: { notes: note({ rank: t.number().default(5) }) },
      row: ['notes', 'a', { text: 'x', rank: 'first' }],
      client: ['notes', { text: 'x', rank: 5 }],
      server: /notes\.rank is double precision now, its column is text/,
    },
    'of the same, which the value fits': {
      former: { notes: note({ rank: t.string() }) },
      later: { notes: note({ rank: t.enum(['first']) }) },
      row: ['notes', 'a', { text: 'x', rank: 'first' }],
      client: ['notes', { text: 'x', rank: 'first' }],
      server: [one('rank'), 'first'],
    },
  },
  '`ids` of a table change': {
    'to ids of the client': {
      ...{ former, row, later: { notes: table({ text: t.string() }) } },
      client: ['notes', null],
      server: [one('text'), 'x'],
    },
    'to those of the application': {
      ...{ former: { notes: table({ text: t.string() }) }, later: former },
      row: ['notes', uuid, { text: 'x' }],
      client: ['notes', { text: 'x' }],
      server: [`select text as found from notes where id = '${uuid}'`, 'x'],
    },
  },
  '`default`, `optional`': {
    'another default': {
      former: { notes: note({ rank: t.number().default(1) }) },
      later: { notes: note({ rank: t.number().default(2) }) },
      ...{ row, client: ['notes', { text: 'x', rank: 1 }], server: [one('rank::text'), '1'] },
    },
    optional: {
      former: { notes: note({ rank: t.number().default(1) }) },
      later: { notes: note({ rank: t.number().optional() }) },
      ...{ row, client: ['notes', { text: 'x', rank: 1 }], server: [one('rank::text'), '1'] },
    },
  },
  '`index`, `unique`, `onDelete`, `touch`': {
    'an index': {
      ...{ former, row, later: { notes: note({ text: t.string().index({ unique: true }) }) } },
      client: ['notes', { text: 'x' }],
      server: [
        `select count(*)::text as found from pg_indexes where tablename = 'notes' and indexname = 'notes_text_ix'`,
        '1',
      ],
    },
  },
  'A prop or table has another name, by a migration': {
    both: {
      ...{ former, row },
      later: { entries: table({ title: t.string() }, ids) },
      migrations: {
        2: (m) => {
          m.renameTable('notes', 'entries');
          m.table('entries').renameProp('text', 'title');
        },
      },
      client: ['entries', { title: 'x' }],
      server: [`select title as found from entries where id = 'a'`, 'x'],
    },
  },
  '… and no migration says so': {
    'a prop': {
      ...{ former, row, later: { notes: table({ title: t.string().optional() }, ids) } },
      client: ['notes', { title: null }],
      server: [one(`text || ' ' || coalesce(title, 'none')`), 'x none'],
    },
  },
};

/** The first column of the first table. */
const documented = readFileSync(join(import.meta.dirname, '../../docs/schema-changes.md'), 'utf8')
  .split('## What is pending')[0]
  ?.split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => line.split(' | ')[0]?.slice(2));

test('there is a case for each row of the table, and no other', () => {
  expect(Object.keys(cases)).toEqual(documented);
});

let deployment: Deployment | undefined;
let profile: Profile | undefined;
afterEach(async () => {
  await profile?.close();
  await deployment?.remove();
});

async function found(database: Database, sql: string): Promise<unknown> {
  const [first] = await database.query<{ found: unknown }>(sql);
  return first?.found;
}

const all = Object.entries(cases).flatMap(([change, of]) =>
  Object.entries(of).map(([what, one]) => ({ change, what, ...one })),
);

describe('under the next release', () => {
  test.each(all)('$change: $what', async (its) => {
    const made = new Deployment([
      schema(its.former, { version: 1 }),
      schema(its.later, { version: 2, accepts: [1], migrations: its.migrations ?? {} }),
    ]);
    deployment = made;
    await made.deploy(1);
    const client = await new Profile(made, 'anna').open(1);
    profile = client;
    const [name, id, values] = its.row;
    await client.db.transact((tx) => {
      tx[name]?.create({ id, ...values });
    }).durable;
    await client.db.sync.waitForSync({ timeoutMs: 30_000 });
    client.offline = true;
    await client.open(2);
    const [shownIn, shown] = its.client;
    expect(client.rows()[shownIn]?.[id] ?? null).toEqual(shown);
    if (its.server instanceof RegExp) {
      await expect(made.deploy(2)).rejects.toThrow(its.server);
      return;
    }
    await made.deploy(2);
    await made.stop();
    const database = await made.openDatabase();
    try {
      const [sql, expected] = its.server;
      expect(await found(database, sql)).toEqual(expected);
    } finally {
      await database.close();
    }
  });
});
