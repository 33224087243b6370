// Goal: a program that knows nothing but docs/protocol.md can undo a deletion: `restore` brings back what the deletion took along, once,
// under the rights of the moment, and is refused where it cannot be carried out. Method: a real server, and the wire by hand.
import { describe, expect, test } from 'vitest';
import { type Json, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer({
  schema: {
    version: 1,
    accepts: [],
    tables: [
      { name: 'lists', ids: 'uuid', props: [{ name: 'name', type: 'string' }] },
      {
        name: 'items',
        ids: 'uuid',
        props: [
          { name: 'text', type: 'string' },
          { name: 'list', type: 'ref', ref: { table: 'lists', onDelete: 'cascade' } },
        ],
      },
    ],
  },
});

class Author extends WireClient {
  /** Sends ops as one action; gives its result and the action's id. */
  async act(ops: readonly Json[]): Promise<{ result: Json; action: string }> {
    const action = uuid7();
    const chain = { ...this.chain };
    const actions = [{ id: action, name: 'act', arg: null, at: Date.now() }];
    const { body } = await this.send([this.update(ops, { actions })]);
    const [result] = body.results as [Json];
    if (result.status !== 'applied') this.chain = chain;
    return { result, action };
  }

  async rows(): Promise<Map<string, Json>> {
    const reader = new WireClient(this.url, this.user);
    reader.scopes = ['lists', 'items'].map((table) => ({ table, where: ['true'], filled: true }));
    const rows = new Map<string, Json>();
    await reader.sync(rows);
    return new Map([...rows].map(([key, row]) => [String(key.split(' ')[2]), row]));
  }
}

let users = 0;
/** A list with an item that another device has added, deleted by the first. */
async function deleted() {
  const user = `restoring-${++users}`;
  const realm = `user:${user}`;
  const [mine, theirs] = [new Author(server.url, user), new Author(server.url, user)];
  const [list, item] = [uuid7(), uuid7()];
  const of = (op: string, table: string, id: string, more: Json = {}) => ({
    ...{ op, table, id, realm },
    ...more,
  });
  await mine.act([of('create', 'lists', list, { set: { name: 'list' } })]);
  await theirs.act([of('create', 'items', item, { set: { text: 'item', list } })]);
  const { action } = await mine.act([of('delete', 'lists', list)]);
  expect((await mine.rows()).size).toBe(0);
  const restore = (of_: string) => [of('restore', 'lists', list, { of: of_ })];
  return { user, realm, mine, theirs, list, item, action, restore, of };
}

describe('restore over HTTP', () => {
  test('brings back the object, and what its author never saw', async () => {
    const { mine, list, item, action, restore } = await deleted();
    const { result } = await mine.act(restore(action));
    expect(result).toMatchObject({ status: 'applied' });
    expect(result.noops ?? []).toEqual([]);
    const rows = await mine.rows();
    expect([...rows.keys()].sort()).toEqual([list, item].sort());
    expect(rows.get(item)).toMatchObject({ text: 'item', list });
  });

  test('does nothing a second time, by another device either', async () => {
    const { mine, theirs, action, restore } = await deleted();
    await mine.act(restore(action));
    expect((await theirs.act(restore(action))).result).toMatchObject({
      status: 'applied',
      noops: [0],
    });
    expect((await mine.rows()).size).toBe(2);
  });

  test('does nothing for an action that is in no log', async () => {
    const { mine, restore } = await deleted();
    expect((await mine.act(restore(uuid7()))).result).toMatchObject({
      status: 'applied',
      noops: [0],
    });
    expect((await mine.rows()).size).toBe(0);
  });

  test('is undone by a delete, and restored again from that', async () => {
    const { mine, list, action, restore, of } = await deleted();
    await mine.act(restore(action));
    const again = await mine.act([of('delete', 'lists', list)]);
    expect((await mine.rows()).size).toBe(0);
    await mine.act(restore(again.action));
    expect((await mine.rows()).size).toBe(2);
  });

  test('is forbidden to who may not write there, as if there were no such realm', async () => {
    const { action, restore } = await deleted();
    const stranger = new Author(server.url, `restoring-${++users}`);
    expect((await stranger.act(restore(action))).result).toMatchObject({
      status: 'rejected',
      rejected: [{ op: 0, code: 'forbidden' }],
    });
  });

  test.each([
    ['no `of`', {}, 'invalid'],
    ['an `of` that is no text', { of: 5 }, 'invalid_id'],
  ])('with %s is rejected, by a code of its own', async (_, more, code) => {
    const { mine, list, of } = await deleted();
    const { result } = await mine.act([of('restore', 'lists', list, more)]);
    expect(result).toMatchObject({ status: 'rejected', rejected: [{ code }] });
  });
});
