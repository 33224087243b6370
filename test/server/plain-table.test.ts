// Goal: a program that knows only a table and an opaque time never misses a change. Method: a real server, and a copy
// of the table made by hand.

import { expect, test } from 'vitest';
import { type Json, post, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer();

class Copy {
  readonly rows = new Map<string, Json>();
  readonly user: string;
  time: string | null = null;
  answers = 0;

  constructor(user = 'reader') {
    this.user = user;
  }

  async refresh(exclude: Json = {}): Promise<Json> {
    for (;;) {
      const headers = { authorization: `Bearer dev:${this.user}` };
      const { status, body } = await post(
        server.url,
        '/v1/tables/cities',
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
