// Goal: a program that knows only a table and an opaque time never misses a change. Method: a real server, and a copy
// of the table made by hand.

import { expect, test } from 'vitest';
import { invite } from './support/memberships.ts';
import { type Json, post, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer();

class Copy {
  readonly rows = new Map<string, Json>();
  readonly user: string;
  readonly table: string;
  time: string | null = null;
  answers = 0;

  constructor(user = 'reader', table = 'cities') {
    this.user = user;
    this.table = table;
  }

  async refresh(exclude: Json = {}): Promise<Json> {
    for (;;) {
      const headers = { authorization: `Bearer dev:${this.user}` };
      const { status, body } = await post(
        server.url,
        `/v1/tables/${this.table}`,
        { lastUpdateTime: this.time, exclude },
        headers,
      );
      expect(status).toBe(200);
      this.answers++;
      for (const row of body.rows as Json[]) this.rows.set(String(row.id), row);
      for (const id of body.deleted as string[]) this.rows.delete(id);
      this.time = body.lastUpdateTime as string;
      if (body.more !== true) return body;
    }
  }

  names(): unknown[] {
    return [...this.rows.values()].map(({ props }) => (props as Json).name).sort();
  }
}

const create = (id: string, realm = 'public') => ({
  op: 'create',
  table: 'cities',
  id,
  realm,
  set: { name: id },
});

test('sends all rows, then changes, then deletions; never other people’s rows', async () => {
  const writer = new WireClient(server.url);
  const copy = new Copy();
  await writer.push([create('a'), create('b'), create('mine', 'user:anna')]);
  await copy.refresh();
  expect(copy.names()).toEqual(['a', 'b']);
  await writer.push([
    { op: 'update', table: 'cities', id: 'a', realm: 'public', set: { name: 'a2' } },
    create('c'),
  ]);
  await writer.push([{ op: 'delete', table: 'cities', id: 'b', realm: 'public' }]);
  const answer = await copy.refresh();
  expect(copy.names()).toEqual(['a2', 'c']);
  expect(answer.deleted).toEqual(['b']);
  // A row that moves to a realm that the reader may not read is deleted for the reader.
  await writer.push([{ op: 'move', table: 'cities', id: 'c', realm: 'public', to: 'user:anna' }]);
  await copy.refresh();
  expect(copy.names()).toEqual(['a2']);
  expect((await copy.refresh()).rows).toEqual([]);
});

test('names the realms of deleted rows, where several may have the same id', async () => {
  const writer = new WireClient(server.url, 'twin');
  const [own, other] = ['user:twin', uuid7()];
  await writer.push([invite(other, 'twin', 'owner')]);
  const at = (realm: string) => ({ table: 'cities', id: 'the same', realm });
  for (const realm of [own, other])
    await writer.push([{ op: 'create', ...at(realm), set: { name: realm } }]);
  const copy = new Copy('twin');
  const first = await copy.refresh();
  const same = (first.rows as Json[]).filter(({ id }) => id === 'the same');
  expect(same.map(({ realm }) => realm).sort()).toEqual([own, other].sort());
  await writer.push([{ op: 'delete', ...at(own) }]);
  expect(await copy.refresh()).toMatchObject({
    deleted: ['the same'],
    deletedFrom: [own],
    rows: [],
  });
  // Also of a row that moves: in its new realm it is another one.
  const move = { op: 'move', ...at(other), to: own };
  expect(await writer.push([move])).toMatchObject({ status: 'applied' });
  const moved = await copy.refresh();
  expect([moved.deleted, moved.deletedFrom]).toEqual([['the same'], [other]]);
  expect((moved.rows as Json[]).map(({ id, realm }) => [id, realm])).toEqual([['the same', own]]);
});

test('a row with a UUID that moves to another realm of the reader is not gone', async () => {
  const writer = new WireClient(server.url, 'hauler');
  const [own, other, id] = ['user:hauler', uuid7(), uuid7()];
  await writer.push([invite(other, 'hauler', 'owner'), invite(other, 'onlooker', 'reader')]);
  const at = { table: 'userGroups', id, realm: other };
  await writer.push([{ op: 'create', ...at, set: { name: 'moving' } }]);
  const copies = ['hauler', 'onlooker'].map((user) => new Copy(user, 'userGroups'));
  for (const copy of copies) expect((await copy.refresh()).rows).toHaveLength(1);
  const move = { op: 'move', ...at, to: own };
  expect(await writer.push([move])).toMatchObject({ status: 'applied' });
  const [both, one] = [await copies[0]!.refresh(), await copies[1]!.refresh()];
  expect([both.deleted, both.deletedFrom]).toEqual([[], undefined]);
  expect((both.rows as Json[]).map(({ realm }) => realm)).toEqual([own]);
  expect([one.deleted, one.rows]).toEqual([[id], []]);
});

test('leaves out rows that the caller has already', async () => {
  const copy = new Copy();
  await copy.refresh();
  const [row] = [...copy.rows.values()];
  const other = new Copy();
  const answer = await other.refresh({ [String(row!.id)]: row!.modifiedAt });
  expect((answer.rows as Json[]).map(({ id }) => id)).not.toContain(row!.id);
});

test('does not skip changes made while the first pages are sent', async () => {
  const writer = new WireClient(server.url);
  for (let part = 0; part < 3; part++) {
    const ops = Array.from({ length: 4_000 }, (_, i) =>
      create(`many-${String(part * 4_000 + i).padStart(6, '0')}`),
    );
    expect(await writer.push(ops)).toMatchObject({ status: 'applied' });
  }
  const copy = new Copy();
  const headers = { authorization: 'Bearer dev:reader' };
  const first = (await post(server.url, '/v1/tables/cities', {}, headers)).body;
  expect(first.more).toBe(true);
  for (const row of first.rows as Json[]) copy.rows.set(String(row.id), row);
  copy.time = first.lastUpdateTime as string;
  const passed = String((first.rows as Json[]).at(-10)!.id);
  await writer.push([
    {
      op: 'update',
      table: 'cities',
      id: passed,
      realm: 'public',
      set: { name: 'changed behind the page' },
    },
    { op: 'delete', table: 'cities', id: 'many-000001', realm: 'public' },
  ]);
  await copy.refresh();
  await copy.refresh();
  expect(copy.names()).toContain('changed behind the page');
  expect(copy.rows.has('many-000001')).toBe(false);
  const fresh = new Copy();
  await fresh.refresh();
  expect([...copy.rows].sort()).toEqual([...fresh.rows].sort());
});

test('refuses a time that is not a text', async () => {
  const headers = { authorization: 'Bearer dev:reader' };
  const asked = { lastUpdateTime: 5 };
  const { status, body } = await post(server.url, '/v1/tables/cities', asked, headers);
  expect([status, body.code]).toEqual([400, 'bad_request']);
});

test('sends everything again, with reset, for a time of another history', async () => {
  const copy = new Copy();
  copy.time = Buffer.from('{"heads":{"public":"3@77"}}').toString('base64url');
  const headers = { authorization: 'Bearer dev:reader' };
  const { body } = await post(
    server.url,
    '/v1/tables/cities',
    { lastUpdateTime: copy.time },
    headers,
  );
  expect(body.reset).toBe(true);
  expect((body.rows as Json[]).length).toBeGreaterThan(0);
});
