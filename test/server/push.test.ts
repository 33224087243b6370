// Goal: updates are applied exactly once, in order, whole or not at all, whether they are sent again, late, twice or
// broken. Method: a real server process, and clients that speak the wire by hand.

import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Json, post, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer();

const city = (id: string, set: Json = { name: id }) => ({
  op: 'create',
  table: 'cities',
  id,
  realm: 'public',
  set,
});
const inc = (id: string, by = 1) => ({
  op: 'inc',
  table: 'cities',
  id,
  realm: 'public',
  add: { population: by },
});
const results = (answer: { body: Json }) => answer.body.results as Json[];

/** The public rows of a table as a new client of another user sees them. */
async function rowsOf(table: string): Promise<Map<string, Json>> {
  const reader = new WireClient(server.url, 'reader');
  reader.scopes = [{ table, where: ['true'], filled: true }];
  const rows = new Map<string, Json>();
  await reader.sync(rows);
  return new Map([...rows].map(([key, row]) => [key.split(' ')[2]!, row]));
}

describe('exactly once', () => {
  test('recognises a copy though another user has used the id of that update', async () => {
    const id = uuid7();
    const sent = ['alba', 'zita'].map((user) => {
      const client = new WireClient(server.url, user);
      return [
        client,
        client.update([{ ...city(uuid7()), realm: `user:${user}` }], { id }),
      ] as const;
    });
    const statuses = [];
    for (const [client, update] of [...sent, ...sent])
      statuses.push(results(await client.send([update]))[0]?.status);
    expect(statuses).toEqual(['applied', 'applied', 'duplicate', 'duplicate']);
  });

  test('counts 100 concurrent resends of one inc once', async () => {
    const client = new WireClient(server.url);
    await client.push([city('once', { name: 'once', population: 0 })]);
    const update = client.update([inc('once')]);
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.send([update])));
    const statuses = answers.map((answer) => results(answer)[0]?.status);
    expect(statuses.filter((status) => status === 'applied')).toHaveLength(1);
    expect(statuses.filter((status) => status === 'duplicate')).toHaveLength(99);
    const revisions = new Set(
      answers.map((answer) => JSON.stringify(results(answer)[0]?.revisions)),
    );
    expect(revisions.size).toBe(1);
    expect((await rowsOf('cities')).get('once')?.population).toBe(1);
  });

  test('counts one update twice in a request once', async () => {
    const client = new WireClient(server.url);
    await client.push([city('twice', { name: 'twice', population: 0 })]);
    const update = client.update([inc('twice')]);
    const answer = await client.send([update, update]);
    expect(results(answer).map(({ status }) => status)).toEqual(['applied', 'duplicate']);
    expect((await rowsOf('cities')).get('twice')?.population).toBe(1);
  });

  test('does not apply a logged action again under another update', async () => {
    const client = new WireClient(server.url);
    await client.push([city('actions', { name: 'actions', population: 0 })]);
    const first = client.update([inc('actions')]);
    const [applied] = results(await client.send([first]));
    const copy = new WireClient(server.url);
    const second = copy.update([inc('actions')], { actions: first.actions });
    const [refused] = results(await copy.send([second]));
    const [action] = first.actions as { id: string }[];
    expect(refused).toMatchObject({ status: 'rejected' });
    expect((refused!.known as Json)[action!.id]).toEqual((applied!.revisions as Json).public);
    expect((await rowsOf('cities')).get('actions')?.population).toBe(1);
  });
});

describe('the chain', () => {
  test('holds updates after a rejected one, however late its copy arrives', async () => {
    const client = new WireClient(server.url);
    await client.push([city('chain', { name: 'chain', population: 0 })]);
    const link = client.chain.public!;
    const bad = client.update([
      { op: 'update', table: 'cities', id: 'chain', realm: 'public', set: { nonsense: 1 } },
    ]);
    const follower = client.update([inc('chain')]);
    expect(results(await client.send([bad, follower])).map(({ status }) => status)).toEqual([
      'rejected',
      'held',
    ]);
    // The client groups again, after the last applied update; sequence numbers are used again.
    client.chain.public = link;
    const again = client.update([inc('chain', 10)]);
    expect(results(await client.send([again]))[0]).toMatchObject({ status: 'applied' });
    const late = results(await client.send([bad, follower]));
    for (const { status } of late) expect(['rejected', 'held', 'forked']).toContain(status);
    expect((await rowsOf('cities')).get('chain')?.population).toBe(10);
  });

  test('keeps rejecting a rejected update, though it would be valid by now', async () => {
    const client = new WireClient(server.url);
    await client.push([city('taken', { name: 'taken', code: 'unique-code' })]);
    const clash = client.update([city('late', { name: 'late', code: 'unique-code' })]);
    expect(results(await client.send([clash]))[0]).toMatchObject({ status: 'rejected' });
    const other = new WireClient(server.url);
    await other.push([{ op: 'delete', table: 'cities', id: 'taken', realm: 'public' }]);
    expect(results(await client.send([clash]))[0]).toMatchObject({ status: 'rejected' });
    expect((await rowsOf('cities')).has('late')).toBe(false);
  });

  test('holds an update that arrives too early, and applies it when sent again', async () => {
    const client = new WireClient(server.url);
    const first = client.update([city('order', { name: 'order', population: 0 })]);
    const second = client.update([inc('order')]);
    const third = client.update([inc('order')]);
    expect(results(await client.send([first]))[0]).toMatchObject({ status: 'applied' });
    expect(results(await client.send([third]))[0]).toMatchObject({ status: 'held' });
    expect(results(await client.send([second, third])).map(({ status }) => status)).toEqual([
      'applied',
      'applied',
    ]);
    expect((await rowsOf('cities')).get('order')?.population).toBe(2);
  });

  test('answers forked to a second update in the place of an applied one', async () => {
    const client = new WireClient(server.url);
    await client.push([city('fork', { name: 'fork', population: 0 })]);
    const chain = { ...client.chain };
    await client.push([inc('fork')]);
    client.chain = chain;
    expect(await client.push([inc('fork', 100)])).toMatchObject({ status: 'forked' });
    expect((await rowsOf('cities')).get('fork')?.population).toBe(1);
  });

  test('answers unknown_client to an update that follows an unknown one', async () => {
    const client = new WireClient(server.url);
    client.chain = { public: { seq: 7, id: uuid7() } };
    expect(await client.push([city('nobody')])).toMatchObject({ status: 'unknown_client' });
    expect((await rowsOf('cities')).has('nobody')).toBe(false);
  });

  test('changes nothing for an update with one bad op', async () => {
    const client = new WireClient(server.url);
    const result = await client.push([city('whole'), city('half', { name: 5 })]);
    expect(result).toMatchObject({ status: 'rejected' });
    expect((result.rejected as Json[])[0]).toMatchObject({ op: 1, code: 'wrong_type' });
    expect((await rowsOf('cities')).has('whole')).toBe(false);
  });
});

describe('revisions', () => {
  test('16 concurrent clients leave no gap, no double revision, and increasing times', async () => {
    const clients = Array.from({ length: 16 }, () => new WireClient(server.url));
    const pushed: { revision: number; at: number }[] = [];
    await Promise.all(
      clients.map(async (client, c) => {
        for (let i = 0; i < 20; i++) {
          const result = await client.push([city(`gap-${c}-${i}`)]);
          pushed.push({
            revision: Number((result.revisions as Json).public),
            at: Number(result.at),
          });
        }
      }),
    );
    pushed.sort((a, b) => a.revision - b.revision);
    const first = pushed[0]!.revision;
    expect(pushed.map(({ revision }) => revision)).toEqual(pushed.map((_, i) => first + i));
    for (const [i, { at }] of pushed.entries()) {
      if (i > 0) expect(at).toBeGreaterThanOrEqual(pushed[i - 1]!.at);
    }
  });

  test('a push answered before another began has the lower revision and time', async () => {
    const client = new WireClient(server.url);
    const other = new WireClient(server.url);
    const first = await client.push([city('serial-1')]);
    const second = await other.push([city('serial-2')]);
    expect(Number((second.revisions as Json).public)).toBeGreaterThan(
      Number((first.revisions as Json).public),
    );
    expect(Number(second.at)).toBeGreaterThan(Number(first.at));
  });
});

describe('bad input', () => {
  const reject = async (op: Json) => {
    const client = new WireClient(server.url);
    const result = await client.push([{ realm: 'public', ...op }]);
    expect(result.status).toBe('rejected');
    return (result.rejected as Json[])[0]?.code;
  };

  test.each<[string, Json]>([
    ['unknown_table', { op: 'create', table: 'planets', id: 'x', set: {} }],
    ['unknown_prop', { op: 'create', table: 'cities', id: 'x', set: { name: 'x', moons: 1 } }],
    ['wrong_type', { op: 'create', table: 'cities', id: 'x', set: { name: 1 } }],
    ['wrong_type', { op: 'create', table: 'cities', id: 'x', set: { name: 'x', size: 'xl' } }],
    ['missing_prop', { op: 'create', table: 'cities', id: 'x', set: {} }],
    ['invalid_id', { op: 'create', table: 'userGroups', id: 'not-a-uuid', set: { name: 'x' } }],
    ['invalid_id', { op: 'create', table: 'cities', id: 'x'.repeat(129), set: { name: 'x' } }],
    ['invalid_id', { op: 'create', table: 'cities', id: '', set: { name: 'x' } }],
    ['forbidden', { op: 'create', table: 'cities', id: 'x', realm: 'team-1', set: { name: 'x' } }],
  ])('is refused as %s, for ever and with its op: %j', async (code, op) => {
    expect(await reject(op)).toBe(code);
  });

  test('refuses values that databases cannot store', async () => {
    for (const name of ['a\u0000b', '\ud800']) {
      const client = new WireClient(server.url);
      const answer = await client.send([client.update([city('unholdable', { name })])]);
      const refused =
        answer.status === 422 ||
        (answer.status === 200 && results(answer)[0]?.status === 'rejected');
      expect(refused).toBe(true);
    }
    expect((await rowsOf('cities')).has('unholdable')).toBe(false);
  });

  test('applies the other updates beside an unreadable one', async () => {
    const [good, bad] = [new WireClient(server.url), new WireClient(server.url)];
    const answers = await Promise.all([
      good.send([good.update([city('neighbour')])]),
      bad.send([{ id: 5, after: 'x', ops: [null] }]),
    ]);
    expect(results(answers[0])[0]).toMatchObject({ status: 'applied' });
    expect(answers[1]).toMatchObject({ status: 400, body: { code: 'bad_request' } });
  });

  test('answers malformed requests with their codes, and applies nothing', async () => {
    const client = new WireClient(server.url);
    const update = client.update([city('never')]);
    const good = { client: client.id, schema: 1, updates: [update] };
    const big = JSON.stringify({ ...good, padding: 'x'.repeat(9 << 20) });
    const cases: [number, string, unknown, Record<string, string>][] = [
      [400, 'bad_json', '{"client":', client.headers],
      [400, 'bad_request', [], client.headers],
      [400, 'bad_request', { ...good, client: 'me' }, client.headers],
      [400, 'bad_request', { ...good, schema: undefined }, client.headers],
      [400, 'bad_request', { ...good, updates: {} }, client.headers],
      [409, 'client-old', { ...good, schema: 0 }, client.headers],
      [409, 'server-old', { ...good, schema: 2 }, client.headers],
      [413, 'too_large', big, client.headers],
      [
        422,
        'limit',
        { ...good, updates: Array.from({ length: 101 }, () => update) },
        client.headers,
      ],
      [401, 'unauthenticated', good, {}],
      [401, 'unauthenticated', good, { authorization: 'Bearer x.y.z' }],
    ];
    for (const [status, code, body, headers] of cases) {
      const answer = await post(server.url, '/v1/push', body, headers);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
    }
    expect((await rowsOf('cities')).has('never')).toBe(false);
  });

  test('refuses a body that is too large only when decompressed', async () => {
    const response = await fetch(`${server.url}/v1/push`, {
      method: 'POST',
      headers: { ...new WireClient(server.url).headers, 'content-encoding': 'gzip' },
      body: gzipSync(Buffer.alloc(9 << 20, 0x20)),
    });
    expect(response.status).toBe(413);
  });

  test('accepts and sends gzip', async () => {
    const client = new WireClient(server.url);
    const body = { client: client.id, schema: 1, updates: [client.update([city('gzip')])] };
    const response = await fetch(`${server.url}/v1/push`, {
      method: 'POST',
      headers: { ...client.headers, 'content-encoding': 'gzip' },
      body: gzipSync(JSON.stringify(body)),
    });
    expect(((await response.json()) as { results: Json[] }).results[0]).toMatchObject({
      status: 'applied',
    });
    const pulled = await fetch(`${server.url}/v1/pull`, {
      method: 'POST',
      headers: { ...client.headers, 'accept-encoding': 'gzip' },
      body: JSON.stringify(
        client.request({ scopes: [{ table: 'cities', where: ['true'], filled: true }] }),
      ),
    });
    expect(pulled.headers.get('content-encoding')).toBe('gzip');
    expect(((await pulled.json()) as { changes: Json[] }).changes.length).toBeGreaterThan(0);
  });
});

describe('identity and rights', () => {
  test('a client identity belongs to the user who used it first', async () => {
    const client = new WireClient(server.url, 'anna');
    await client.push([city('mine')]);
    const thief = new WireClient(server.url, 'bert');
    const body = { client: client.id, schema: 1, updates: [thief.update([city('theirs')])] };
    const pushed = await post(server.url, '/v1/push', body, thief.headers);
    expect([pushed.status, pushed.body.code]).toEqual([403, 'client_bound']);
    const pulled = await post(
      server.url,
      '/v1/pull',
      { ...thief.request(), client: client.id },
      thief.headers,
    );
    expect([pulled.status, pulled.body.code]).toEqual([403, 'client_bound']);
    expect((await rowsOf('cities')).has('theirs')).toBe(false);
  });

  test('unknown and forbidden realms give identical answers', async () => {
    const owner = new WireClient(server.url, 'owner');
    await owner.push([
      { op: 'create', table: 'cities', id: 'secret', realm: 'user:owner', set: { name: 's' } },
    ]);
    const answers = [];
    for (const realm of ['user:owner', 'user:nobody']) {
      const client = new WireClient(server.url, 'curious');
      const result = await client.push([
        { op: 'create', table: 'cities', id: uuid7(), realm, set: { name: 'x' } },
      ]);
      const pulled = await client.pull({
        cursors: { [realm]: '1@1' },
        scopes: [{ table: 'cities', where: ['true'], filled: true }],
      });
      const image = await fetch(`${server.url}/v1/snapshot/${realm}/x/1/0000000000000000`, {
        headers: client.headers,
      });
      const { id: _id, ...rest } = result;
      const text = JSON.stringify([
        rest,
        pulled.status,
        pulled.body.changes,
        pulled.body.revoked,
        image.status,
        await image.text(),
      ]);
      answers.push(text.replaceAll(realm, 'REALM').replace(/"[0-9a-f]{8}-[0-9a-f-]{27}"/g, '"ID"'));
    }
    expect(answers[0]).toBe(answers[1]);
    expect(answers[0]).not.toContain('"name":"s"');
  });
});
