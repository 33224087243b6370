// Goal: a pull is diff(F, E): the difference between the client's rows with its own updates folded in, and the
// server's. Method: a real server, each case of the reduction by hand, and random histories pulled with and without
// reduction to the same state.

import { describe, expect, test } from 'vitest';
import {
  changesOf,
  create,
  everything,
  inc,
  PullStage,
  remove,
  update,
} from './support/pulling.ts';
import {
  foldChanges,
  type Json,
  uuid7,
  type WireClient,
  type WireUpdate,
} from './support/server.ts';

const stage = new PullStage();
const pair = () => stage.pair();

/** Pulls with one own update in `have`. */
async function pullWith(client: WireClient, own: WireUpdate): Promise<Json> {
  const { status, body } = await client.pull({ have: [own.id] });
  expect(status).toBe(200);
  return body;
}
describe('the reduction', () => {
  test('names an own update without overlap in `own`, and sends no changes', async () => {
    const { realm, author } = pair();
    await author.sync(new Map());
    const own = author.update([create(realm, 'a', { name: 'a' })]);
    const [result] = (await author.send([own])).body.results as Json[];
    const body = await pullWith(author, own);
    expect(body.own).toEqual({
      [own.id]: { [realm]: { revision: (result!.revisions as Json)[realm], at: result!.at } },
    });
    expect(body.changes).toEqual([]);
  });

  test('sends only the differing props if another update was later', async () => {
    const { realm, author, other } = pair();
    await author.push([create(realm, 'a', { name: 'a', country: 'SE', population: 1 })]);
    await author.sync(new Map());
    const own = author.update([update(realm, 'a', { name: 'mine', population: 2 })]);
    await author.send([own]);
    await other.push([update(realm, 'a', { name: 'theirs' })]);
    const [change, ...rest] = changesOf(await pullWith(author, own), 'a');
    expect(rest).toEqual([]);
    expect(change).toMatchObject({ change: 'update', set: { name: 'theirs' } });
  });

  test('sends only props that the own update did not set if another was earlier', async () => {
    const { realm, author, other } = pair();
    await author.push([create(realm, 'a', { name: 'a', country: 'SE', population: 1 })]);
    await author.sync(new Map());
    await other.push([update(realm, 'a', { name: 'theirs', country: 'NO' })]);
    const own = author.update([update(realm, 'a', { name: 'mine' })]);
    await author.send([own]);
    expect(changesOf(await pullWith(author, own), 'a')).toMatchObject([
      { change: 'update', set: { country: 'NO' } },
    ]);
  });

  test('does not send rows created and deleted in between', async () => {
    const { realm, author, other } = pair();
    await author.sync(new Map());
    await other.push([create(realm, 'brief', { name: 'x' })]);
    await other.push([remove(realm, 'brief')]);
    const { body } = await author.pull();
    expect(body.changes).toEqual([]);
  });

  test('inc by two adds up for both', async () => {
    const { realm, author, other } = pair();
    await author.push([create(realm, 'a', { name: 'a', population: 0 })]);
    await author.sync(new Map());
    await other.push([inc(realm, 'a', 5)]);
    const own = author.update([inc(realm, 'a', 2)]);
    await author.send([own]);
    expect(changesOf(await pullWith(author, own), 'a')).toMatchObject([{ set: { population: 7 } }]);
  });

  test('sends a cascade to its author, for children that the author never saw', async () => {
    const { realm, author, other } = pair();
    const [group, member] = [uuid7(), uuid7()];
    await author.push([create(realm, group, { name: 'g' }, 'userGroups')]);
    await author.sync(new Map());
    await other.push([create(realm, member, { group }, 'members')]);
    const rows = new Map<string, Json>();
    await other.sync(rows);
    expect([...rows.keys()].some((key) => key.includes(member))).toBe(true);
    const own = author.update([remove(realm, group, 'userGroups')]);
    await author.send([own]);
    await author.sync(new Map());
    await other.sync(rows);
    expect([...rows.keys()]).toEqual([]);
    const seen = await author.pull({ cursors: {}, scopes: everything });
    expect(seen.body.changes).toEqual([]);
  });

  test('sends an own update in full if it is not in `have`', async () => {
    const { realm, author } = pair();
    await author.sync(new Map());
    const own = author.update([create(realm, 'a', { name: 'a' })]);
    await author.send([own]);
    const { body } = await author.pull({ have: [] });
    expect(changesOf(body, 'a')).toMatchObject([{ change: 'create', set: { name: 'a' } }]);
  });

  test('sends the rows as of the end of a range before the head', async () => {
    const { realm, author, other } = pair();
    await author.push([create(realm, 'z', { name: 'z' })]);
    await author.sync(new Map());
    await other.push([create(realm, 'a', { name: 'first' })]);
    await other.push([update(realm, 'a', { name: 'second' })]);
    await other.push([remove(realm, 'a')]);
    const steps: unknown[] = [];
    for (let i = 0; i < 10; i++) {
      const { body } = await author.pull({ limit: 1 });
      for (const change of changesOf(body, 'a'))
        steps.push([change.change, (change.set as Json | undefined)?.name]);
      author.cursors = { ...author.cursors, ...(body.cursors as Record<string, string>) };
      if (body.more !== true) break;
    }
    expect(steps).toEqual([
      ['create', 'first'],
      ['update', 'second'],
      ['delete', undefined],
    ]);
  });

  test('removes a row that leaves the scope, and sends one that enters whole', async () => {
    const { realm, author, other } = pair();
    author.scopes = [{ table: 'cities', where: ['=', 'country', 'SE'], filled: true }];
    await other.push([
      create(realm, 'in', { name: 'in', country: 'SE' }),
      create(realm, 'out', { name: 'out', country: 'NO' }),
    ]);
    const rows = new Map<string, Json>();
    await author.sync(rows);
    expect([...rows.values()].map(({ name }) => name)).toEqual(['in']);
    await other.push([
      update(realm, 'in', { country: 'NO' }),
      update(realm, 'out', { country: 'SE' }),
    ]);
    const { body } = await author.pull();
    foldChanges(rows, body.changes as Json[]);
    expect([...rows.values()]).toMatchObject([{ name: 'out', country: 'SE' }]);
  });
});

test('detects a cursor of another history, and sends the realm again', async () => {
  const { realm, author } = pair();
  await author.push([create(realm, 'a', { name: 'a' })]);
  const first = (await author.pull()).body;
  const cursor = (first.cursors as Record<string, string>)[realm]!;
  for (const wrong of [cursor.replace(/@\d+/, '@5'), '99@1760000000000']) {
    const { status, body } = await author.pull({ cursors: { [realm]: wrong } });
    expect(status).toBe(200);
    expect(body.reset).toEqual([realm]);
    expect((body.cursors as Record<string, string>)[realm]).toBe(cursor);
    expect(changesOf(body, 'a')).toMatchObject([{ change: 'create', set: { name: 'a' } }]);
  }
});

test('sends a scope in pages by id, each row once', async () => {
  const { realm, author, other } = pair();
  const ids = Array.from({ length: 2500 }, (_, i) => `p${String(i).padStart(5, '0')}`);
  await other.push(
    ids.map((id, i) => create(realm, id, { name: id, country: i % 5 === 0 ? 'NO' : 'SE' })),
  );
  author.scopes = [{ table: 'cities', where: ['=', 'country', 'SE'], filled: false }];
  author.cursors = {};
  const rows = new Map<string, Json>();
  let filled: unknown = false;
  for (let i = 0; i < 20 && filled !== true; i++) {
    const { status, body } = await author.pull();
    expect(status).toBe(200);
    foldChanges(rows, body.changes as Json[]);
    author.cursors = { ...author.cursors, ...(body.cursors as Record<string, string>) };
    const [fill] = body.fills as Json[];
    filled = fill === undefined ? true : (fill.upto ?? true);
    author.scopes = [{ table: 'cities', where: ['=', 'country', 'SE'], filled }];
  }
  expect(rows.size).toBe(2000);
  expect(new Set([...rows.values()].map(({ country }) => country))).toEqual(new Set(['SE']));
});

test('random histories give the same state with and without reduction', async () => {
  let seed = 20261;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed % below;
  };
  for (let round = 0; round < 8; round++) {
    const { realm, author, other } = pair();
    const reduced = new Map<string, Json>();
    const ids = ['a', 'b', 'c'];
    for (let step = 0; step < 12; step++) {
      const ops = () =>
        Array.from({ length: 1 + random(2) }, () => {
          const id = ids[random(3)]!;
          const set = { name: `n${random(3)}`, population: random(3) };
          return [
            create(realm, id, set),
            update(
              realm,
              id,
              random(2) ? { name: set.name } : { country: null, population: set.population },
            ),
            remove(realm, id),
            inc(realm, id, 1),
          ][random(4)]!;
        });
      if (random(2)) await other.push(ops());
      const own = author.update(ops());
      await author.send([own]);
      if (random(2)) await other.push(ops());
      const { body } = await author.pull({ have: [own.id] });
      foldOwn(reduced, own);
      foldChanges(reduced, body.changes as Json[]);
      author.cursors = body.cursors as Record<string, string>;
    }
    const full = new Map<string, Json>();
    other.cursors = {};
    await other.sync(full);
    expect(plain(reduced)).toEqual(plain(full));
  }
});

function plain(rows: Map<string, Json>): unknown {
  return [...rows]
    .map(([key, row]) => [
      key,
      Object.fromEntries(
        Object.entries(row)
          .filter(([, value]) => value !== null)
          .sort(),
      ),
    ])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

/** Own ops as pushed, folded by the naive rules of a client. */
function foldOwn(rows: Map<string, Json>, { ops }: WireUpdate): void {
  for (const op of ops) {
    const key = `${String(op.realm)} ${String(op.table)} ${String(op.id)}`;
    const row = rows.get(key);
    if (op.op === 'create') rows.set(key, { ...row, ...(op.set as Json) });
    else if (row === undefined) continue;
    else if (op.op === 'update') rows.set(key, { ...row, ...(op.set as Json) });
    else if (op.op === 'inc') {
      const add = op.add as Record<string, number>;
      const sums = Object.entries(add).map(([prop, by]) => [prop, Number(row[prop] ?? 0) + by]);
      rows.set(key, { ...row, ...Object.fromEntries(sums) });
    } else rows.delete(key);
  }
}

test('`own` is exact for a new client whose state comes in a page', async () => {
  const { realm, author } = pair();
  const own = author.update([create(realm, 'mine', { name: 'mine' })]);
  await author.send([own]);
  author.scopes = [{ table: 'cities', where: ['=', 'name', 'other'], filled: false }];
  const body = await pullWith(author, own);
  expect(Object.keys(body.own as Json)).toEqual([own.id]);
});

test('a pull says whether the log has an action, to users who may read it', async () => {
  const { realm, author, other } = pair();
  const pushed = author.update([create(realm, 'a', { name: 'a' })]);
  await author.send([pushed]);
  const [{ id: there } = { id: '' }] = pushed.actions as { id: string }[];
  const elsewhere = uuid7();
  const ask = async (client: WireClient, known: readonly unknown[]) => client.pull({ known });
  expect((await ask(other, [there, elsewhere])).body.known).toEqual({ [there]: { [realm]: 1 } });
  expect((await ask(author, [])).body.known).toEqual({});
  expect((await author.pull()).body).not.toHaveProperty('known');
  const stranger = stage.client('stranger');
  expect((await ask(stranger, [there])).body.known).toEqual({});
  for (const wrong of [['\u0000'], [7], 'text', Array(1001).fill(elsewhere)])
    expect((await author.pull({ known: wrong })).status).toBeGreaterThanOrEqual(400);
});

test("checks rights in a row's own realm; naming another reveals nothing", async () => {
  const { realm, author } = pair();
  await author.push([create(realm, 'private', { name: 'private' })]);
  const stranger = stage.client('stranger');
  const attempts = ['private', 'nothing-here'].map((id) => ({
    ...update(realm, id, { name: 'changed' }),
    realm: 'public',
  }));
  const answers: string[] = [];
  for (const op of attempts) {
    const { status, noops, rejected } = await stranger.push([op]);
    answers.push(JSON.stringify([status, noops, rejected]));
  }
  expect(answers[0]).toBe(answers[1]);
  const rows = new Map<string, Json>();
  author.cursors = {};
  await author.sync(rows);
  expect([...rows.values()]).toMatchObject([{ name: 'private' }]);
});
