// Goal: a server keeps its log for a retention period, and whoever comes later is told so, or continues: nothing is lost, applied
// twice, or brought back. Method: a real server that keeps its log for a second, over the wire, on both databases.

import { describe, expect, test } from 'vitest';
import { create, inc, remove, update } from './support/pulling.ts';
import { foldChanges, type Json, post, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer({ args: ['--dev', '--retention', '1'] });
const cities = [{ table: 'cities', where: ['true'], filled: true }];

let users = 0;
function someone(): { realm: string; client: WireClient; user: string } {
  const user = `kept-${++users}`;
  const client = new WireClient(server.url, user);
  client.scopes = cities;
  return { realm: `user:${user}`, client, user };
}
const again = (user: string) => {
  const client = new WireClient(server.url, user);
  client.scopes = cities;
  return client;
};

/** Resolves once the log of the realm is forgotten up to this revision. */
async function forgotten(client: WireClient, realm: string, revision: number): Promise<void> {
  const floor = async () => {
    const { body } = await client.pull({ floors: true, cursors: {} });
    return ((body.floors as Json)[realm] as { revision: number } | undefined)?.revision ?? 0;
  };
  await expect.poll(floor, { timeout: 20_000 }).toBeGreaterThanOrEqual(revision);
}

const resultsOf = (body: Json) => body.results as Json[];
async function rowsOf(client: WireClient): Promise<Map<string, Json>> {
  const rows = new Map<string, Json>();
  client.cursors = {};
  await client.sync(rows);
  return rows;
}

describe.concurrent('a cursor', () => {
  test('below the floor starts over, and one at the floor or above it continues', async () => {
    const { realm, client, user } = someone();
    await client.push([create(realm, 'a', { name: 'A' })]);
    const { body: first } = await client.pull();
    await client.push([create(realm, 'b', { name: 'B' })]);
    const { body: second } = await client.pull();
    await forgotten(client, realm, 2);
    const behind = await client.pull({ cursors: first.cursors as Json });
    expect(behind.status).toBe(410);
    expect(behind.body).toMatchObject({ code: 'gone' });
    await client.push([update(realm, 'a', { name: 'A2' })]);
    const { status, body } = await again(user).pull({ cursors: second.cursors as Json });
    expect(status).toBe(200);
    expect(body.changes).toMatchObject([{ change: 'update', set: { name: 'A2' } }]);
  });

  test('of another history is reported before one below the floor is refused', async () => {
    const { realm, client, user } = someone();
    await client.push([create(realm, 'a', { name: 'A' })]);
    const { body: first } = await client.pull();
    await client.push([create(realm, 'b', { name: 'B' })]);
    await forgotten(client, realm, 2);
    const lost = { ...(first.cursors as Json), public: '900@5' };
    const { status, body } = await again(user).pull({ cursors: lost });
    expect(status).toBe(200);
    expect(body).toMatchObject({ reset: ['public'], more: true });
    // What is forgotten stays where it was, until the client asks without a cursor of another history.
    expect((body.cursors as Json)[realm]).toBe((first.cursors as Json)[realm]);
    expect((await again(user).pull({ cursors: body.cursors as Json })).status).toBe(410);
  });

  test('that starts over gets existing rows, and no deleted ones', async () => {
    const { realm, client, user } = someone();
    for (const id of ['a', 'b', 'c']) await client.push([create(realm, id, { name: id })]);
    await client.push([remove(realm, 'b')]);
    await client.push([inc(realm, 'c', 5)]);
    await forgotten(client, realm, 5);
    const rows = await rowsOf(again(user));
    expect([...rows.keys()].sort()).toEqual([
      `${realm} cities ${realm}/a`,
      `${realm} cities ${realm}/c`,
    ]);
    expect(rows.get(`${realm} cities ${realm}/c`)).toMatchObject({ population: 5 });
  });
});

describe.concurrent('an update that comes again', () => {
  test('has its answer as long as its client has not said that it knows it', async () => {
    const { realm, client } = someone();
    const first = client.update([create(realm, 'a', { name: 'A', population: 1 })]);
    const sent = await client.send([first]);
    const second = client.update([inc(realm, 'a', 1)]);
    await client.send([second]);
    await forgotten(client, realm, 2);
    for (const one of [first, second]) {
      const [result] = resultsOf((await client.send([one])).body);
      expect(result).toMatchObject({ status: 'duplicate' });
    }
    const [result] = resultsOf((await client.send([first])).body);
    expect({ ...result, status: 'applied' }).toEqual(resultsOf(sent.body)[0]);
    // The pull names it as well, wherever it is in the log.
    const { body } = await client.pull({ have: [first.id, second.id], refill: true });
    expect(body.own).toMatchObject({
      [first.id]: { [realm]: { revision: 1 } },
      [second.id]: { [realm]: { revision: 2 } },
    });
  });

  test('is no longer known once its client has said so', async () => {
    const { realm, client, user } = someone();
    const seen = (seq: number) => ({ seen: { [realm]: seq } });
    await client.send([client.update([create(realm, 'a', { name: 'A', population: 0 })])]);
    const second = client.update([inc(realm, 'a', 1)]);
    await client.send([second], seen(1));
    await client.send([client.update([inc(realm, 'a', 1)])], seen(1));
    const last = client.update([inc(realm, 'a', 1)]);
    await client.send([last], seen(3));
    await forgotten(client, realm, 4);
    for (const [update, status] of [
      [second, 'forked'],
      [last, 'duplicate'],
    ] as const)
      expect(resultsOf((await client.send([update])).body)[0]).toMatchObject({ status });
    expect([...(await rowsOf(again(user))).values()]).toMatchObject([{ population: 3 }]);
  });

  test('under another identity is applied only if it cannot have been there', async () => {
    const { realm, client, user } = someone();
    const seen = (seq: number) => ({ seen: { [realm]: seq } });
    await client.send([client.update([create(realm, 'a', { name: 'A', population: 0 })])]);
    const pushed = client.update([inc(realm, 'a', 1)]);
    await client.send([pushed], seen(1));
    await client.send([client.update([update(realm, 'a', { name: 'A2' })])], seen(2));
    await client.send([client.update([update(realm, 'a', { name: 'A3' })])], seen(3));
    await forgotten(client, realm, 4);
    // A copy of the profile from before takes a new identity, and groups its mutations again.
    const follows = { follows: { client: client.id, seen: { [realm]: 1 } } };
    const copy = again(user);
    const mutation = { actions: pushed.actions, base: { [realm]: 1 } };
    const [unknown] = resultsOf(
      (await copy.send([copy.update([inc(realm, 'a', 1)], mutation)], follows)).body,
    );
    expect(unknown).toMatchObject({
      status: 'rejected',
      rejected: [
        { code: 'outcome_unknown', actions: (pushed.actions as Json[]).map(({ id }) => id) },
      ],
    });
    copy.chain = {};
    // What was made since, at a revision that is still in the log, was never there.
    const young = { base: { [realm]: 4 } };
    const [applied] = resultsOf(
      (await copy.send([copy.update([inc(realm, 'a', 10)], young)], follows)).body,
    );
    expect(applied).toMatchObject({ status: 'applied' });
    // The server remembers that this client follows another one: also for what it says nothing of.
    const [later] = resultsOf(
      (await copy.send([copy.update([inc(realm, 'a', 1)], mutation)])).body,
    );
    expect(later).toMatchObject({ status: 'rejected', rejected: [{ code: 'outcome_unknown' }] });
    copy.chain = { [realm]: { seq: 1, id: String(applied?.id) } };
    const fresh = copy.update([inc(realm, 'a', 100)]);
    expect(resultsOf((await copy.send([fresh])).body)[0]).toMatchObject({ status: 'applied' });
    expect([...(await rowsOf(again(user))).values()]).toMatchObject([{ population: 111 }]);
  });
});

describe.concurrent('an action that is replayed', () => {
  test('is refused if the log of its time is forgotten, and else counts once', async () => {
    const { realm, client, user } = someone();
    await client.push([create(realm, 'a', { name: 'A', population: 0 })]);
    await forgotten(client, realm, 1);
    const action = (at: number) => ({ id: uuid7(), name: 'add', arg: null, at, replayed: true });
    const other = again(user);
    const old = other.update([inc(realm, 'a', 1)], { actions: [action(Date.now() - 3_600_000)] });
    const [result] = resultsOf((await other.send([old])).body);
    expect(result).toMatchObject({ status: 'rejected', rejected: [{ code: 'outcome_unknown' }] });
    other.chain = {};
    const young = action(Date.now() + 1_000);
    for (const expected of ['applied', 'rejected']) {
      const replayed = other.update([inc(realm, 'a', 1)], { actions: [young] });
      const [result] = resultsOf((await other.send([replayed])).body);
      expect(result?.status).toBe(expected);
    }
    expect([...(await rowsOf(again(user))).values()]).toMatchObject([{ population: 1 }]);
  });
});

describe.concurrent('a change of what was there long ago', () => {
  test('is refused, and a delete of it has come true', async () => {
    const { realm, client, user } = someone();
    await client.push([create(realm, 'a', { name: 'A' })]);
    await client.push([create(realm, 'b', { name: 'B' })]);
    await client.push([remove(realm, 'a')]);
    await client.push([remove(realm, 'b')]);
    await forgotten(client, realm, 4);
    const late = again(user);
    const before = { base: { [realm]: 2 } };
    const [result] = resultsOf(
      (await late.send([late.update([update(realm, 'a', { name: 'mine' })], before)])).body,
    );
    expect(result).toMatchObject({
      status: 'rejected',
      rejected: [{ op: 0, code: 'outcome_unknown' }],
    });
    late.chain = {};
    const [gone] = resultsOf((await late.send([late.update([remove(realm, 'b')], before)])).body);
    expect(gone).toMatchObject({ status: 'applied', noops: [0] });
    // Of what the server remembers it decides as ever.
    const never = late.update([update(realm, 'never', { name: 'mine' })], { base: { [realm]: 4 } });
    expect(resultsOf((await late.send([never])).body)[0]).toMatchObject({ noops: [0] });
    expect(await rowsOf(again(user))).toEqual(new Map());
  });

  test('by `if` is refused if a change by another may be forgotten', async () => {
    const { realm, client, user } = someone();
    await client.push([create(realm, 'a', { name: 'A' })]);
    await client.push([create(realm, 'still', { name: 'S' })]);
    await again(user).push([update(realm, 'a', { name: 'A2' })]);
    await forgotten(client, realm, 3);
    const late = again(user);
    const over = (id: string, revision: number) => ({
      ...update(realm, id, { name: 'mine' }),
      if: revision,
    });
    const [changed] = resultsOf((await late.send([late.update([over('a', 1)])])).body);
    expect(changed).toMatchObject({ status: 'rejected', rejected: [{ code: 'changed' }] });
    late.chain = {};
    // It has not changed since, whatever else has.
    const [same] = resultsOf((await late.send([late.update([over('still', 2)])])).body);
    expect(same).toMatchObject({ status: 'applied' });
  });
});

test.concurrent('a plain table starts over with a forgotten time', async () => {
  const { realm, client, user } = someone();
  const read = async (lastUpdateTime: unknown) =>
    (await post(server.url, '/v1/tables/cities', { lastUpdateTime }, client.headers)).body;
  await client.push([create(realm, 'a', { name: 'A' })]);
  await client.push([create(realm, 'b', { name: 'B' })]);
  const first = await read(null);
  await client.push([remove(realm, 'a')]);
  await client.push([update(realm, 'b', { name: 'B2' })]);
  await forgotten(again(user), realm, 4);
  const answer = await read(first.lastUpdateTime);
  expect(answer.reset).toBe(true);
  const mine = (answer.rows as Json[]).filter((row) => row.realm === realm);
  expect(mine.map(({ props }) => (props as Json).name)).toEqual(['B2']);
});

test('clients that write while the log is forgotten have the same rows', async () => {
  const { realm, user } = someone();
  const until = Date.now() + 6_000;
  const kWrites = 100;
  let writes = 0;
  const work = async (number: number): Promise<Map<string, Json>> => {
    const client = again(user);
    let rows = new Map<string, Json>();
    const pull = async () => {
      const { status, body } = await client.pull();
      // A client that was away for longer than the period begins anew.
      if (status === 410) [client.cursors, rows] = [{}, new Map()];
      else {
        expect(status).toBe(200);
        foldChanges(rows, body.changes as Json[]);
        client.cursors = { ...client.cursors, ...(body.cursors as Record<string, string>) };
      }
      return status === 410 || body.more === true;
    };
    // A slow machine takes longer for as many.
    for (let n = 0; Date.now() < until || writes < kWrites; n++) {
      const id = `${number}-${n % 7}`;
      const op = n % 3 === 2 ? remove(realm, id) : create(realm, id, { name: `${n}` });
      expect(await client.push([op])).toMatchObject({ status: 'applied' });
      writes++;
      if (n % (5 * number + 1) === 0) await pull();
    }
    while (await pull());
    return rows;
  };
  const copies = await Promise.all([work(0), work(1), work(9)]);
  const rows = await rowsOf(again(user));
  const last = again(user);
  for (const copy of copies) {
    // The first of them to end has not seen what the others wrote after it.
    expect(copy.size).toBeGreaterThan(0);
  }
  await forgotten(last, realm, writes);
  expect(await rowsOf(again(user))).toEqual(rows);
});
