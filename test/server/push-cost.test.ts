// Goal: the cost of a push is checked before it is queued, and a value that cannot be stored is a 4xx. Method: one
// more than each limit allows, from one table; and a real server, to which another user pushes meanwhile.

import { describe, expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { pushCost } from '../../server/src/cost/push-cost.ts';
import { checkValues, updatesOf } from '../../server/src/wire/updates.ts';
import { type Json, post, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const names = (count: number, prefix = 'r') =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const after = (realms: readonly string[]) =>
  Object.fromEntries(realms.map((realm) => [realm, null]));
const actions = (count: number, arg: unknown = null) =>
  names(count, 'a').map((id) => ({ id, name: 'n', arg, at: 1 }));
const ops = (count: number) =>
  Array.from({ length: count }, () => ({ op: 'delete', table: 'cities', id: 'x', realm: 'r0' }));
const update = (more: Json): Json => ({ id: uuid7(), after: after(['r0']), ops: [], ...more });
const costOf = (updates: readonly Json[], bytes: number) => pushCost(updatesOf({ updates }), bytes);
const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;
const several = (count: number, one: (i: number) => Json) =>
  Array.from({ length: count }, (_, i) => one(i));

/** Pushes at the maximum cost, and what they have one more of. */
const most: readonly [string, number, (count: number) => Json[]][] = [
  ['updates', limits.updatesPerPush, (n) => several(n, () => update({}))],
  ['realms in an update', limits.realmsPerUpdate, (n) => [update({ after: after(names(n)) })]],
  [
    'realms in all',
    limits.realmsPerPush / 50,
    (n) => several(n, (i) => update({ after: after(names(50, `r${i}-`)) })),
  ],
  ['actions in an update', limits.actionsPerUpdate, (n) => [update({ actions: actions(n) })]],
  [
    'actions in every realm',
    limits.actionKeysPerPush / 100,
    (n) => [update({ after: after(names(100)), actions: actions(n) })],
  ],
  ['ops', limits.opsPerPush / 4, (n) => several(4, () => update({ ops: ops(n) }))],
  [
    'bytes of actions in every realm',
    100,
    (n) => {
      const arg = 'x'.repeat(n * Math.floor(limits.writtenPerPush / 99 / 1000 - 1));
      return [update({ after: after(names(100)), actions: actions(10, arg) })];
    },
  ],
  // The body, the list, the update, its actions and the action are five.
  ['levels', limits.jsonDepth - 5, (n) => [update({ actions: [{ id: 'a', arg: nested(n) }] })]],
];

describe.each(most)('a push that has %s', (_what, count, make) => {
  test('is taken up to its limit', () => {
    expect(() => costOf(make(count), 1000)).not.toThrow();
  });

  test('is refused past it', () => {
    const body = make(count + 1);
    expect(() => costOf(body, 1000)).toThrow(expect.objectContaining({ code: 'limit' }));
  });
});

test.each([{ n: Number.POSITIVE_INFINITY }, { n: [-Infinity] }, { id: 'a\0' }, { id: '\ud800' }])(
  'refuses values that cannot be stored before any work: %j',
  (more) => {
    const wrong = update(more);
    expect(() => costOf([wrong], 1)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  },
);

test('checks any depth without a stack overflow', () => {
  const deep = nested(200_000);
  expect(() => checkValues(deep)).toThrow(expect.objectContaining({ code: 'limit' }));
});

const server = new SharedServer();

const city = (id: string, set: Json = { name: 'x' }, realm = 'user:eve') => ({
  op: 'create',
  table: 'cities',
  id,
  realm,
  set,
});
const eve = () => new WireClient(server.url, 'eve');

/** Sends a body while another user pushes, who must not be affected. */
async function sendBeside(client: WireClient, body: unknown) {
  const bob = new WireClient(server.url, 'bob');
  const [answer, beside] = await Promise.all([
    post(server.url, '/v1/push', body, client.headers),
    bob.push([city(uuid7(), { name: 'bob' }, 'user:bob')]),
  ]);
  expect(beside).toMatchObject({ status: 'applied' });
  const code = answer.body.code ?? (answer.body.results as Json[] | undefined)?.[0]?.status;
  return [answer.status, code];
}
const bodyOf = (client: WireClient, updates: unknown) => ({
  client: client.id,
  schema: 1,
  updates,
});

describe('values that cannot be stored', () => {
  const one = (more: (update: Json) => Json) => {
    const client = eve();
    return [client, more(client.update([city(uuid7())]))] as const;
  };
  const inValid: readonly [string, (update: Json) => Json][] = [
    ['the id of an update with a NUL', (u) => ({ ...u, id: 'a\0' })],
    ['the id of an update that is no text', (u) => ({ ...u, id: 5 })],
    ['the id of an update that is half a character', (u) => ({ ...u, id: '\ud800' })],
    ['the id of an update of 129 bytes', (u) => ({ ...u, id: 'x'.repeat(limits.idBytes + 1) })],
    ['a realm with a NUL', (u) => ({ ...u, after: { 'a\0': null } })],
    ['a realm of 129 bytes', (u) => ({ ...u, after: { ['x'.repeat(limits.idBytes + 1)]: null } })],
    ['no realms at all', (u) => ({ ...u, after: undefined })],
    [
      'the id of an action with a NUL',
      (u) => ({ ...u, actions: [{ id: 'a\0', name: 'n', at: 1 }] }),
    ],
  ];
  test.each(inValid)('is refused with the request: %s', async (_what, more) => {
    const [client, wrong] = one(more);
    expect(await sendBeside(client, bodyOf(client, [wrong]))).toEqual([400, 'bad_request']);
  });

  test.each([
    ['an object id with a NUL', { id: 'a\0' }],
    ['a table with a NUL', { table: 'a\0' }],
    ['a prop with a NUL', { set: { 'a\0': 1 } }],
    ['a text with a NUL', { set: { name: 'a\0' } }],
    ['the realm of an op with a NUL', { realm: 'a\0' }],
    ['the realm that a move leads to with a NUL', { op: 'move', to: 'a\0' }],
  ])('is the refusal of its update: %s', async (_what, more) => {
    const [client, wrong] = one((u) => ({ ...u, ops: [{ ...city(uuid7()), ...more }] }));
    expect(await sendBeside(client, bodyOf(client, [wrong]))).toEqual([200, 'rejected']);
  });

  test('is refused with the request: half a surrogate pair, anywhere', async () => {
    const [client, wrong] = one((u) => ({ ...u, ops: [city(uuid7(), { name: 'x\ud800' })] }));
    expect(await sendBeside(client, bodyOf(client, [wrong]))).toEqual([422, 'invalid']);
  });

  test.each(['1e309', '-1e309', '9'.repeat(400)])(
    'is refused with the request: the number %s',
    async (number) => {
      const [client, fine] = one((u) => ({
        ...u,
        ops: [city(uuid7(), { name: 'x', population: 7.25 })],
      }));
      const text = JSON.stringify(bodyOf(client, [fine])).replace('7.25', number);
      expect(await sendBeside(client, text)).toEqual([400, 'bad_request']);
    },
  );
});

test.each([
  [
    'realms times actions',
    (u: Json) => ({ ...u, after: after(names(1000)), actions: actions(1000) }),
  ],
  ['realms', (u: Json) => ({ ...u, after: after(names(20_000)), actions: [] })],
  ['levels', (u: Json) => ({ ...u, actions: actions(1, 'deep') })],
])('a push of many %s is refused, and nobody else hears of it', async (_what, more) => {
  const client = eve();
  const text = JSON.stringify(bodyOf(client, [more(client.update([city(uuid7())]))]));
  const deep = '['.repeat(5_000) + ']'.repeat(5_000);
  expect(await sendBeside(client, text.replace('"deep"', deep))).toEqual([422, 'limit']);
});
