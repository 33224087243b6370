// Goal: a scope with a sub-select is exact: at every cursor, a client with such a scope holds the rows that the inner
// rows of that revision select, and no others, whichever side changes. Method: a real server; a client that folds
// answers as docs/protocol.md describes; every state of the realms, recorded by a client that pulls one entry at a time.

import { describe, expect, test } from 'vitest';
import { rounds } from '../support/rounds.ts';
import { Ear } from './support/ear.ts';
import {
  eventsOf,
  followedBy,
  inScope,
  JoinReader,
  joinSchema,
  Recorder,
  texts,
} from './support/joins.ts';
import { pick, random } from './support/random.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer({ schema: joinSchema });

const kShared = 'public';
let users = 0;
const newUser = () => `reader-${Date.now()}-${++users}`;

const make = (table: string, set: Json, realm = kShared, id = uuid7()) => ({
  ...{ op: 'create', table, id, realm },
  set,
});
const change = (table: string, id: string, set: Json, realm = kShared) => ({
  ...{ op: 'update', table, id, realm },
  set,
});
const move = (table: string, id: string, realm: string, to: string) => ({
  ...{ op: 'move', table, id, realm },
  to,
});
const remove = (table: string, id: string, realm = kShared) => ({
  ...{ op: 'delete', table, id },
  realm,
});

/** What the answer says, as `change table id`. */
const said = ({ changes }: Json) =>
  (changes as Json[]).map(({ change: kind, table, id }) => `${kind} ${table} ${id}`).sort();

function check(reader: JoinReader, recorder: Recorder, user: string): void {
  for (const realm of Object.keys(reader.client.cursors)) {
    const state = recorder.states.get(`${realm} ${reader.revisionOf(realm)}`);
    expect(state, `${realm} ${reader.revisionOf(realm)}`).toBeDefined();
    expect(texts(realm, reader.rowsOf(realm).values())).toEqual(
      texts(realm, inScope(state ?? new Map(), user)),
    );
  }
}

describe('a scope with a sub-select', () => {
  test('holds all events of all documents of a user', async () => {
    const user = newUser();
    const other = new WireClient(server.url, 'bob');
    const [mine, his, e1, e2, e3] = [uuid7(), uuid7(), uuid7(), uuid7(), uuid7()];
    await other.push([
      make('documents', { owner: user }, kShared, mine),
      make('documents', { owner: 'bob' }, kShared, his),
      make('events', { document: mine, text: 'one' }, kShared, e1),
      make('events', { document: his, text: 'two' }, kShared, e2),
    ]);
    const client = new WireClient(server.url, user);
    client.scopes = [
      { table: 'events', where: eventsOf(user), filled: false },
      { table: 'documents', where: ['=', 'owner', user], filled: false },
    ];
    const first = await client.pull();
    expect(said(first.body)).toEqual([`create documents ${mine}`]);
    // No page of it is sent before its inner scope is filled.
    expect((first.body.fills as Json[]).map(({ table }) => table)).toEqual(['documents']);
    expect(first.body.more).toBe(true);
    client.cursors = first.body.cursors as Record<string, string>;
    for (const scope of client.scopes) if (scope.table === 'documents') scope.filled = true;
    const second = await client.pull();
    expect([said(second.body), second.body.more]).toEqual([[`create events ${e1}`], false]);
    client.cursors = second.body.cursors as Record<string, string>;
    for (const scope of client.scopes) scope.filled = true;
    // An inner row changes; its events do not.
    await other.push([change('documents', his, { owner: user })]);
    await other.push([make('events', { document: his }, kShared, e3)]);
    const third = await client.pull({ limit: 1 });
    expect(said(third.body)).toEqual([`create documents ${his}`, `create events ${e2}`]);
    client.cursors = third.body.cursors as Record<string, string>;
    await other.push([change('documents', his, { owner: 'bob' })]);
    const fourth = await client.pull({ limit: 1 });
    expect(said(fourth.body)).toEqual([`create events ${e3}`]);
    client.cursors = fourth.body.cursors as Record<string, string>;
    const last = await client.pull();
    expect(said(last.body)).toEqual(
      [`leave documents ${his}`, `leave events ${e2}`, `leave events ${e3}`].sort(),
    );
  });

  test('loses its outer rows with an inner row that moves where the reader may not look', async () => {
    const user = newUser();
    const reader = new JoinReader(server.url, user);
    const other = new WireClient(server.url, 'bob');
    const [follow, event] = [uuid7(), uuid7()];
    const topic = `topic of ${user}`;
    await other.push([
      make('follows', { user, topic }, kShared, follow),
      make('events', { topic }, kShared, event),
      make('events', { topic: 'of another realm' }),
    ]);
    await new WireClient(server.url, user).push([
      make('follows', { user, topic: 'of another realm' }, `user:${user}`),
    ]);
    await reader.follow();
    expect(reader.rowsOf(kShared).size).toBe(2);
    await other.push([move('follows', follow, kShared, 'user:bob')]);
    await reader.follow();
    expect(reader.answers.flatMap(said)).toEqual(
      [`delete follows ${follow}`, `leave events ${event}`].sort(),
    );
    expect(JSON.stringify(reader.answers)).not.toContain('user:bob');
    // In another realm it selects that realm's rows only, and none for this reader.
    await other.push([change('follows', follow, { topic: 'x' }, 'user:bob')]);
    await reader.follow();
    expect(reader.answers.flatMap(said)).toEqual([]);
  });

  test('gets pokes of the inner table, without a scope over it', async () => {
    const user = newUser();
    const ear = await new Ear(server.url).opened();
    const scopes = [{ table: 'events', where: followedBy(user) }];
    ear.hello({ token: `dev:${user}`, client: uuid7(), schema: 1, scopes });
    await ear.hears(({ type }) => type === 'ready');
    await new WireClient(server.url, 'bob').push([make('follows', { user, topic: 'hears' })]);
    expect(await ear.hears(({ type }) => type === 'poke')).toMatchObject({ tables: ['follows'] });
    ear.socket.close();
  });

  test('in pages: inner rows that change between them leave nothing out or behind', async () => {
    const user = newUser();
    const reader = new JoinReader(server.url, user);
    const recorder = new Recorder(server.url, user);
    const other = new WireClient(server.url, user);
    const realm = `user:${user}`;
    const documents = [uuid7(), uuid7(), uuid7()];
    await other.push(documents.map((id) => make('documents', { owner: user }, realm, id)));
    await recorder.record();
    const text = 'x'.repeat(700_000);
    // Eleven megabytes: more than two pages.
    for (let i = 0; i < 4; i++) {
      const events = Array.from({ length: 4 }, (_, n) => ({ document: documents[n % 3], text }));
      await other.push(events.map((set) => make('events', set, realm)));
    }
    const owners = [user, 'bob'];
    for (let round = 0; round < 40 && !reader.isFilled; round++) {
      const body = await reader.pull();
      const fills = (body.fills as Json[]).map(({ table }) => table);
      if (fills.includes('events')) expect(fills).not.toContain('documents');
      // Each document goes and comes again while pages are under way.
      const document = documents[round % 3] as string;
      if (round < 9)
        await other.push([change('documents', document, { owner: owners[round % 2] }, realm)]);
    }
    expect(reader.answers.length).toBeGreaterThan(3);
    await reader.follow();
    await recorder.record();
    check(reader, recorder, user);
  });
});

/** An op of chance on what the two realms hold. */
function anyOp(next: ReturnType<typeof random>, pool: readonly string[], realms: string[]): Json {
  const user = realms[1]?.slice(5) as string;
  const realm = pick(next, realms);
  const to = realms.find((other) => other !== realm) as string;
  const [document, event, follow] = [0, 1, 2].map((kind) => pool[kind * 4 + next(4)]) as [
    string,
    string,
    string,
  ];
  const owner = pick(next, [user, user, 'bob']);
  const topic = pick(next, ['a', 'b', 'c', null]);
  switch (next(13)) {
    case 0:
      return make('documents', { owner }, realm, document);
    case 1:
    case 2:
      return change('documents', document, { owner }, realm);
    case 3:
      return move('documents', document, realm, to);
    case 4:
      return next(3) === 0 ? remove('documents', document, realm) : make('events', {}, realm);
    case 5:
      return make('events', { document, topic }, realm, event);
    case 6:
      return change('events', event, { topic }, realm);
    case 7:
      return change('events', event, { document }, realm);
    case 8:
      return next(2) === 0 ? move('events', event, realm, to) : remove('events', event, realm);
    case 9:
      return make('follows', { user: owner, topic }, realm, follow);
    case 10:
      return change('follows', follow, { topic }, realm);
    case 11:
      return change('follows', follow, { user: owner }, realm);
    default:
      return next(2) === 0 ? move('follows', follow, realm, to) : remove('follows', follow, realm);
  }
}

test.each(Array.from({ length: rounds(12, 3) }, (_, seed) => seed))(
  'random history %i: a scope with sub-selects is exact at every cursor',
  async (seed) => {
    const next = random(seed + 1);
    const user = newUser();
    const realms = [kShared, `user:${user}`];
    const pool = Array.from({ length: 12 }, () => uuid7());
    const [reader, recorder] = [
      new JoinReader(server.url, user),
      new Recorder(server.url, user),
    ] as const;
    await recorder.record();
    const authors = [new JoinReader(server.url, user), reader];
    for (let step = 0; step < 60; step++) {
      const ops = Array.from({ length: 1 + next(3) }, () => anyOp(next, pool, realms));
      // A row that moves onto another one with its id is refused.
      expect(['applied', 'rejected']).toContain(await pick(next, authors).push(ops));
      if (next(3) > 0) continue;
      await recorder.record();
      const isReduced = next(2) === 0;
      await reader.pull({ limit: 1 + next(4), ...(isReduced ? {} : { have: [] }) });
      if (reader.isFilled) check(reader, recorder, user);
    }
    await recorder.record();
    await reader.follow();
    expect(reader.isFilled).toBe(true);
    check(reader, recorder, user);
  },
);
