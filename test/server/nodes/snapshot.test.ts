// Goal: everything in a pull's answer is of one moment, whatever other nodes commit between its statements. Method:
// the real puller over a database that lets another node commit right after the heads were read.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { invite, remove } from '../support/memberships.ts';
import { type Json, uuid7, WireClient } from '../support/server.ts';
import { grants, TwoNodes } from '../support/stages.ts';

const user = grants('anna', { public: 'write' });
const writer = new WireClient('');
const kHeads = 'json_object_agg';
let nodes: TwoNodes;

beforeAll(async () => {
  nodes = await TwoNodes.open();
});
afterAll(() => nodes.close());

async function name(id: string, text: string): Promise<void> {
  const op = { table: 'cities', id, realm: 'public', set: { name: text } };
  const result = await nodes.commit(
    writer,
    [{ op: text === 'first' ? 'create' : 'update', ...op }],
    user,
  );
  expect(result).toMatchObject({ status: 'applied' });
}

const rows = (answer: Json) =>
  (answer.changes as Json[]).map(({ id, set }) => [id, (set as Json).name]);

test('a page matches its cursor, and later commits come with the next pull', async () => {
  await name('one', 'first');
  nodes.after(kHeads, () => name('one', 'second'));
  const page = await nodes.pull(user, {}, false);
  expect(nodes.isWatching).toBe(false);
  expect(rows(page)).toEqual([['one', 'first']]);
  const next = await nodes.pull(user, page.cursors as Json, true);
  expect(rows(next)).toEqual([['one', 'second']]);
});

test('a range ends at the head that was read first, with the rows of that state', async () => {
  const { cursors } = await nodes.pull(user, {}, false);
  await name('two', 'first');
  nodes.after(kHeads, () => name('two', 'second'));
  const range = await nodes.pull(user, cursors as Json, true);
  expect(nodes.isWatching).toBe(false);
  expect(rows(range)).toEqual([['two', 'first']]);
  expect(rows(await nodes.pull(user, range.cursors as Json, true))).toEqual([['two', 'second']]);
});

test('a realms token has the memberships of its version', async () => {
  const [anna, realm] = [new WireClient(''), uuid7()];
  for (const op of [invite(realm, 'anna', 'owner'), invite(realm, 'bo', 'reader')])
    expect(await nodes.commit(anna, [op])).toMatchObject({ status: 'applied' });
  nodes.after('skerry.membership', async () => {
    await nodes.commit(anna, [remove(realm, 'bo')]);
  });
  const tokenAfter = async (token: unknown) =>
    (await nodes.pull(grants('bo'), {}, true, token)).realmsToken;
  const realmsIn = async (token: unknown) => [
    ...((await nodes.tokens.read('bo', token))?.realms.keys() ?? []),
  ];
  const first = await tokenAfter(null);
  expect(nodes.isWatching).toBe(false);
  expect(await realmsIn(first)).toEqual([realm]);
  expect(await realmsIn(await tokenAfter(first))).toEqual([]);
});
