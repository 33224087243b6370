// Goal: a pull and a hello are limited over all of their scopes, and values that cannot be stored are refused as the
// request's own mistake. Method: a real server; requests with one more than each limit.

import { afterAll, expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { scopesOf } from '../../server/src/wire/pulls.ts';
import { Ear, terminateAll } from './support/ear.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer();
afterAll(terminateAll);

const scope = (where: unknown, filled: unknown = false): Json => ({
  table: 'cities',
  where,
  filled,
});
const any = (count: number, part: unknown = ['=', 'population', 1]) => [
  'or',
  ...Array.from({ length: count }, () => part),
];
const list = (count: number, of: string) => [
  'in',
  of,
  Array.from({ length: count }, (_, i) => `${i}`),
];
const nested = (depth: number) =>
  Array.from({ length: depth - 1 }).reduce<unknown>((where) => ['not', where], ['true']);
const select = ['in', 'name', { table: 'members', select: 'person' }];
const nestedSelects = ['in', 'id', { table: 'cities', select: 'id', where: select }];
const like = (pattern: string) => ['like', 'name', pattern];
/** A text too deep for JSON.stringify. */
const deep = (depth: number) =>
  `{"scopes":[{"table":"cities","where":${'["not",'.repeat(depth)}["true"]${']'.repeat(depth)}}]}`;

/** [what, its scopes, the status of the pull]; a hello with the same scopes is closed with 4400, unless that is 200. */
const scopes: [string, Json[], number][] = [
  ['a filter of 1,000 parts', [scope(any(999))], 200],
  ['a filter of 1,001 parts', [scope(any(1000))], 422],
  ['four filters of 1,000 parts', Array.from({ length: 4 }, () => scope(any(999), true)), 200],
  [
    'filters of 4,001 parts together, none of them large',
    Array.from({ length: 81 }, () => scope(any(49), true)),
    422,
  ],
  ['filters with 10,000 values', [scope(list(5000, 'name')), scope(list(5000, 'country'))], 200],
  [
    'filters with 10,001 values together',
    [scope(list(5000, 'name')), scope(list(5001, 'country'))],
    422,
  ],
  ['a filter eight deep', [scope(nested(8))], 200],
  ['a filter nine deep', [scope(nested(9))], 422],
  ['1,000 scopes', Array.from({ length: 1000 }, () => scope(['true'])), 200],
  ['1,001 scopes', Array.from({ length: 1001 }, () => scope(['true'])), 422],
  ['a pattern of 200 characters', [scope(like(`${'日'.repeat(198)}%x`))], 200],
  ['a pattern of 201 characters', [scope(like('x'.repeat(201)))], 422],
  ['a pattern with 32 wildcards', [scope(like('_'.repeat(32)))], 200],
  ['a pattern with 33 wildcards', [scope(like('%'.repeat(33)))], 422],
  ['patterns that cost too much together', [scope(any(30, like('%words%')))], 422],
  ['a pattern that overlaps itself too often', [scope(like(`%${'a'.repeat(60)}b%`))], 422],
  ['text that cannot be stored', [scope(['=', 'name', 'a\0'])], 422],
  ['half a character', [scope(['in', 'name', ['\ud800']])], 422],
  ['half a character in a pattern', [scope(like('\udc00%'))], 422],
  ['an id that cannot be', [scope(['true'], 'a\0')], 400],
  ['half a character as an id', [scope(['true'], '\ud800')], 400],
  ['an id of 128 bytes', [scope(['true'], 'x'.repeat(128))], 200],
  ['a long id', [scope(['true'], 'x'.repeat(129))], 400],
  ['a table that cannot be', [{ table: 'a\0', where: ['true'] }], 400],
  ['an object as a value', [scope(['=', 'name', { a: { b: 1 } }])], 422],
  ['a date that no row can have', [scope(['=', 'createdAt', { $type: 'date', v: -8.64e15 }])], 200],
  ['a date that is none', [scope(['=', 'createdAt', { $type: 'date', v: 8.64e15 + 2 }])], 422],
  ['a sub-select', [scope(['in', 'id', { table: 'members', select: 'person' }])], 200],
  ['a sub-select within another', [scope(nestedSelects)], 422],
  ['47 sub-selects in a filter', [scope(any(47, select))], 200],
  ['sub-selects that cost too much together', [scope(any(48, select))], 422],
];

test.each(scopes)('scopes with %s: a pull and a hello agree', async (_what, named, expected) => {
  const client = new WireClient(server.url);
  const { status, body } = await client.pull({ scopes: named });
  expect([status, body.detail]).toEqual([expected, status === 200 ? undefined : expect.anything()]);
  if (expected !== 200) expect(body.code).toMatch(/^(bad_request|limit|invalid)$/);
  const hello = JSON.stringify({
    ...{ type: 'hello', token: 'dev:anna', client: uuid7(), schema: 1 },
    scopes: named.map(({ table, where }) => ({ table, where })),
  });
  // `filled` is not a part of a hello.
  if (hello.length > limits.socketMessageBytes || JSON.stringify(named).includes('"filled":"'))
    return;
  const ear = await new Ear(server.url).opened();
  ear.socket.send(hello);
  if (expected === 200) expect(await ear.hears(({ type }) => type === 'ready')).toBeTruthy();
  else expect(await ear.closed).toBe(4400);
  ear.socket.close();
});

const realms = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`realm-${i}`, '1@1']));
const ids = (count: number) => Array.from({ length: count }, () => uuid7());
const streams = (count: number) => Array.from({ length: count }, (_, i) => ({ stream: `s${i}` }));

const requests: [string, Json, number][] = [
  ['10,000 cursors', { cursors: realms(10_000) }, 200],
  ['10,001 cursors', { cursors: realms(10_001) }, 422],
  ['1,000 ids of actions', { known: ids(1000) }, 200],
  ['1,001 ids of actions', { known: ids(1001) }, 422],
  ['100 streams', { streams: streams(100) }, 200],
  ['101 streams', { streams: streams(101) }, 422],
  ['the last 10,000 actions of a stream', { streams: [{ stream: 'a', last: 10_000 }] }, 200],
  ['the last 10,001 actions of a stream', { streams: [{ stream: 'a', last: 10_001 }] }, 422],
  ['10,000 entries', { limit: 10_000 }, 200],
  ['1,000 ids of updates', { have: ids(1000) }, 200],
  ['1,001 ids of updates', { have: ids(1001) }, 422],
  ['an id of an update that cannot be', { have: ['a\0'] }, 400],
  ['half a character as an id of an update', { have: ['\ud800'] }, 400],
  ['an id of an update that is none', { have: [7] }, 400],
  ['an id of an action that cannot be', { known: ['a\0'] }, 400],
  ['a lost realm that cannot be', { lost: ['a\0'] }, 400],
  ['a realm that cannot be', { cursors: { 'a\0': '1@1' } }, 400],
  ['half a character as a realm', { cursors: { '\ud800': '1@1' } }, 400],
  ['a cursor that is none', { cursors: { public: 'x' } }, 422],
  ['a cursor that is no text', { cursors: { public: 1 } }, 400],
  ['no list of scopes', { scopes: {} }, 400],
  ['no scope in the list', { scopes: [null] }, 400],
  ['something more, nested as deeply as one likes', { more: nested(60) }, 200],
];

test.each(requests)('a pull with %s', async (_what, more, expected) => {
  const { status, body } = await new WireClient(server.url).pull(more);
  expect([status, body.code]).toEqual([expected, expected === 200 ? undefined : body.code]);
});

test('refuses numbers beyond a double, and unlimited depth', async () => {
  const client = new WireClient(server.url);
  const headers = { ...client.headers, 'content-type': 'application/json' };
  const ask = async (text: string) => {
    const body = JSON.stringify(client.request()).replace('"scopes":[]', text.slice(1, -1));
    const answer = await fetch(`${server.url}/v1/pull`, { method: 'POST', headers, body });
    return answer.status;
  };
  const number = '{"scopes":[{"table":"cities","where":["=","population",1e309]}]}';
  expect(await ask(number)).toBe(422);
  expect(await ask(deep(5000))).toBe(422);
  const unknown = `{"scopes":[],"more":${'['.repeat(5000)}${']'.repeat(5000)}}`;
  expect(await ask(unknown)).toBe(200);
  const ear = await new Ear(server.url).opened();
  const hello = `{"type":"hello","token":"dev:anna","client":"${uuid7()}",${deep(5000).slice(1)}`;
  ear.socket.send(hello);
  expect(await ear.closed).toBe(4400);
  expect(server.output()).not.toContain('failed');
});

test('checks a depth beyond any call stack', () => {
  const where = Array.from({ length: 200_000 }).reduce<unknown>((part) => ['and', part], ['true']);
  expect(() => scopesOf([{ table: 'cities', where }])).toThrow(/deep/);
});

test('counts the filters of all scopes before the core checks them', () => {
  const parts = (count: number) => Array.from({ length: count }, () => scope(any(49), true));
  expect(scopesOf(parts(80))).toHaveLength(80);
  expect(() => scopesOf(parts(81))).toThrow(/too many parts/);
  const values = Array.from({ length: 3 }, () => scope(list(4000, 'name')));
  expect(scopesOf(values.slice(1))).toHaveLength(2);
  expect(() => scopesOf(values)).toThrow(/too many values/);
});

test('sends pages of many scopes in several answers, each scope once', async () => {
  const user = 'pages';
  const client = new WireClient(server.url, user);
  const realm = `user:${user}`;
  const ids = Array.from({ length: 120 }, (_, i) => `p${String(i).padStart(3, '0')}`);
  await client.push(
    ids.map((id, population) => ({
      ...{ op: 'create', table: 'cities', id, realm },
      set: { name: id, population },
    })),
  );
  client.scopes = ids.map((_, n) => scope(['=', 'population', n]));
  const found: unknown[] = [];
  let answers = 0;
  for (let more = true; more; answers++) {
    const { status, body } = await client.pull();
    expect(status).toBe(200);
    found.push(...(body.changes as Json[]).map(({ id }) => id));
    client.cursors = { ...client.cursors, ...(body.cursors as Record<string, string>) };
    for (const fill of body.fills as Json[]) {
      const of = client.scopes.find(
        ({ where }) => JSON.stringify(where) === JSON.stringify(fill.where),
      )!;
      expect(of.filled).toBe(false);
      of.filled = true;
    }
    more = body.more as boolean;
  }
  expect(found.sort()).toEqual(ids);
  expect(client.scopes.every(({ filled }) => filled === true)).toBe(true);
  expect(answers).toBe(3);
});
