// Goal: streams over the wire: what is appended reaches each client that may read the realm and wants the stream, once
// and in the order of the log, with its past, and a history can be paged back without gaps. Method: a real server,
// one case for each rule.

import { afterAll, describe, expect, test } from 'vitest';
import { append, appending, argsOf, history, pull } from './support/appending.ts';
import { Ear, terminateAll } from './support/ear.ts';
import { type Json, uuid7, type WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer();
let users = 0;
afterAll(terminateAll);

/** Two clients of one new user, and the user's own realm. */
function pair(): { realm: string; author: WireClient; other: WireClient } {
  const user = `stream-${++users}`;
  return { realm: `user:${user}`, author: server.client(user), other: server.client(user) };
}

/** Pulls until there is no more; returns the arguments in the order of their arrival. */
async function pullAll(client: WireClient, stream: Json): Promise<unknown[]> {
  const args: unknown[] = [];
  let filled = {};
  for (let round = 0; round < 1_000; round++) {
    const body = await pull(client, [{ ...stream, filled }]);
    args.push(...argsOf(body));
    client.cursors = { ...client.cursors, ...(body.cursors as Record<string, string>) };
    filled = { ...filled, ...((body.streamsFilled as Json[])[0]?.filled as Json) };
    if (body.more !== true) return args;
  }
  throw new Error('pull: no end');
}

describe('a pull', () => {
  test('brings actions as they were pushed, with author, times and revision', async () => {
    const { realm, author, other } = pair();
    const update = appending(author, realm, 'chat', [{ text: 'Åre ⛷', $: [1, null] }]);
    const [result] = (await author.send([update])).body.results as Json[];
    const body = await pull(other, [{ stream: 'chat', filled: {} }]);
    expect(body.streams).toEqual([
      {
        ...{ realm, stream: 'chat', revision: 1 },
        actions: [
          {
            ...{ id: update.actions[0]?.id, name: 'said', arg: { text: 'Åre ⛷', $: [1, null] } },
            ...{ at: result?.at, madeAt: update.actions[0]?.at, author: author.user },
          },
        ],
      },
    ]);
    const [{ filled }] = body.streamsFilled as [Json];
    expect(filled).toMatchObject({ [realm]: 1 });
  });

  test('brings only requested streams, with their whole past also if requested late', async () => {
    const { realm, author, other } = pair();
    await append(author, realm, 'chat', 1, 2);
    await append(author, realm, 'doc/a', 3);
    await append(author, realm, 'doc/b', 4);
    const first = await pull(other, []);
    expect(first.streams).toEqual([]);
    other.cursors = first.cursors as Record<string, string>;
    expect(argsOf(await pull(other, [{ stream: 'chat', filled: {} }]))).toEqual([1, 2]);
    expect(argsOf(await pull(other, [{ stream: 'doc/*', filled: {} }]))).toEqual([3, 4]);
    await append(author, realm, 'doc/a', 5);
    const next = await pull(other, [{ stream: 'doc/*', filled: { [realm]: 3 } }]);
    expect(argsOf(next)).toEqual([5]);
  });

  test('leaves out own updates of `have`, and names them', async () => {
    const { realm, author, other } = pair();
    const update = appending(author, realm, 'chat', ['mine']);
    await author.send([update]);
    await append(other, realm, 'chat', 'theirs');
    const body = await pull(author, [{ stream: 'chat', filled: {} }], { have: [update.id] });
    expect(argsOf(body)).toEqual(['theirs']);
    expect(body.own).toMatchObject({ [update.id]: { [realm]: { revision: 1 } } });
  });

  test('sends a long stream in pages, in order, with nothing twice', async () => {
    const { realm, author, other } = pair();
    const sent = Array.from({ length: 30 }, (_, i) => ({ i, text: 'x'.repeat(200_000) }));
    for (let i = 0; i < sent.length; i += 5) {
      await append(author, realm, 'large', ...sent.slice(i, i + 5));
    }
    const args = (await pullAll(other, { stream: 'large' })) as Json[];
    expect(args.map(({ i }) => i)).toEqual(sent.map(({ i }) => i));
  });

  test('may begin with the last actions', async () => {
    const { realm, author, other } = pair();
    for (let i = 1; i <= 6; i++) await append(author, realm, 'chat', i);
    const body = await pull(other, [{ stream: 'chat', last: 2, filled: {} }]);
    expect(argsOf(body)).toEqual([5, 6]);
    const [filled] = body.streamsFilled as [Json];
    expect(filled.from).toEqual({ [realm]: 4 });
    expect(filled.filled).toMatchObject({ [realm]: 6 });
  });

  test('refuses malformed streams, and more of them than any client has', async () => {
    const { other } = pair();
    for (const streams of [{}, [null], [{ stream: '' }], [{ stream: 'a', filled: 7 }]]) {
      expect((await other.pull({ streams })).status).toBe(400);
    }
    const many = Array.from({ length: 101 }, () => ({ stream: 'a' }));
    expect((await other.pull({ streams: many })).status).toBe(422);
    expect((await other.pull({ streams: [{ stream: 'a', last: -1 }] })).status).toBe(422);
  });
});

describe('a history', () => {
  test('is paged back from its end, without gaps and without doubles', async () => {
    const { realm, author } = pair();
    for (let i = 0; i < 4; i++)
      await append(author, realm, 'a/b c', ...[3 * i, 3 * i + 1, 3 * i + 2]);
    const seen: unknown[] = [];
    let before = '';
    for (let page = 0; page < 10; page++) {
      const { status, body } = await history(author, realm, 'a/b c', `?limit=5${before}`);
      expect(status).toBe(200);
      const actions = body.actions as Json[];
      seen.unshift(...actions.map(({ arg }) => arg));
      before = `&before=${String(actions[0]?.revision)}.${String(actions[0]?.position)}`;
      expect(body.more).toBe(seen.length < 12);
      if (body.more !== true) break;
    }
    expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  test('is hidden from users without the right to read, like a missing stream', async () => {
    const { realm, author } = pair();
    await append(author, realm, 'chat', 1);
    const stranger = server.client('stranger');
    const [there, nowhere] = [
      await history(stranger, realm, 'chat'),
      await history(stranger, 'user:nobody', 'chat'),
    ];
    expect(there.status).toBe(404);
    expect([nowhere.status, nowhere.body]).toEqual([there.status, there.body]);
    // All headers but the time of the answer.
    const names = (of: Headers) => [...of].filter(([name]) => name !== 'date');
    expect(names(nowhere.headers)).toEqual(names(there.headers));
    expect((await history(author, realm, 'empty')).body).toEqual({ actions: [], more: false });
    expect((await history(author, realm, 'chat', '?before=x')).status).toBe(400);
    expect((await history(author, realm, 'chat', '?limit=0')).status).toBe(400);
  });
});

test('a poke of an append goes to subscribers of the stream, and to nobody else', async () => {
  const { realm, author, other } = pair();
  const listen = async (streams: unknown) => {
    const ear = await new Ear(server.url).opened();
    ear.hello({ token: `dev:${other.user}`, client: uuid7(), streams });
    await ear.hears(({ type }) => type === 'ready');
    return ear;
  };
  const chat = await listen(['chat']);
  const prefix = await listen([{ stream: 'ch*' }]);
  const others = await listen(['notes', 'doc/*']);
  const none = await listen([]);
  await append(author, realm, 'chat', 'hello');
  const poke = { type: 'poke', realm, revision: 1, tables: [], streams: ['chat'] };
  for (const ear of [chat, prefix]) {
    expect(await ear.hears(({ type }) => type === 'poke')).toEqual(poke);
  }
  // The third hears of the next append first.
  await append(author, realm, 'doc/1', 'x');
  expect(await others.hears(({ type }) => type === 'poke')).toMatchObject({ streams: ['doc/1'] });
  await append(author, realm, 'chat', 'again');
  await chat.hears(({ revision }) => revision === 3);
  expect([others.pokes().length, none.pokes().length]).toEqual([1, 0]);
});

test('the streams of a shared realm are there for its reader, until it is revoked', async () => {
  const owner = server.client(`owner-${users}`);
  const reader = server.client(`reader-${users}`);
  const realm = uuid7();
  const member = (user: string, role: string) => ({
    ...{ op: 'create', table: '$members', id: `${realm}/${user}`, realm },
    set: { user, role },
  });
  expect(await owner.push([member(owner.user, 'owner')])).toMatchObject({ status: 'applied' });
  await append(owner, realm, 'chat', 'before');
  expect(await owner.push([member(reader.user, 'reader')])).toMatchObject({ status: 'applied' });
  const body = await pull(reader, [{ stream: 'chat', filled: {} }]);
  expect(argsOf(body)).toEqual(['before']);
  expect((await reader.push([{ op: 'append', stream: 'chat', realm }])).status).toBe('rejected');
  const leave = { op: 'delete', table: '$members', id: `${realm}/${reader.user}`, realm };
  expect(await owner.push([leave])).toMatchObject({ status: 'applied' });
  const after = await pull(reader, [{ stream: 'chat', filled: {} }], { cursors: body.cursors });
  expect(after.revoked).toEqual([realm]);
  expect(argsOf(after)).toEqual([]);
  expect((await history(reader, realm, 'chat')).status).toBe(404);
});
