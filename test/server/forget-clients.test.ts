// Goal: what clients, refusals and memberships leave is bounded, and whoever comes back all the same has no change applied twice.
// Method: the real authority and committer over an empty database, whose tables are counted.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../server/src/base/limits.ts';
import { readClock } from '../../server/src/db/clock.ts';
import type { Database } from '../../server/src/db/database.ts';
import { forgetClients, forgetRefusals } from '../../server/src/retention/clients.ts';
import { forgetLog } from '../../server/src/retention/log.ts';
import { inPortions } from '../../server/src/retention/portions.ts';
import { forgetRights } from '../../server/src/retention/rights.ts';
import { type Committing, openCommitter } from './support/committing.ts';
import { invite, remove } from './support/memberships.ts';
import { create, inc } from './support/pulling.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';

const kAll = -3_600_000;
const always = () => true;
let db: Database;
let opened: Committing;

beforeAll(async () => {
  // Every push notes when its client was heard from.
  opened = await openCommitter({ invitations: 'direct', heardMs: 0 });
  db = opened.database;
});
afterAll(() => opened.close());

let users = 0;
const newUser = () => `user${++users}`;

class Device {
  readonly wire: WireClient;
  readonly user: string;
  constructor(user: string) {
    this.user = user;
    this.wire = new WireClient('', user);
  }
  get realm(): string {
    return `user:${this.user}`;
  }
  unit(ops: readonly Json[], follows: string | null = null) {
    const user = {
      ...{ id: this.user, grants: new Map([[this.realm, 'write' as const]]), expires: null },
    };
    return { client: this.wire.id, user, epoch: 1, follows, update: this.wire.update(ops) };
  }
  async push(ops: readonly Json[]) {
    const unit = this.unit(ops);
    return { unit, result: await pushed(unit) };
  }
}
const pushed = async (unit: ReturnType<Device['unit']>) =>
  (await opened.committer.commit([unit], { wait: true })).results[0];

async function count(from: string, ...params: string[]): Promise<number> {
  const [row] = await db.query<{ count: string }>(
    `select count(*)::text as count from skerry.${from}`,
    params,
  );
  return Number(row?.count);
}
const countOf = async ({ wire, realm }: Device) => ({
  chains: await count('chain where client = $1::text', wire.id),
  entries: await count('log where realm = $1::text and client = $2::text', realm, wire.id),
});
const forgottenOf = (user: string) =>
  count('client where user_id = $1::text and is_forgotten', user);
const forgetAll = (realm: string) => forgetLog(opened, realm, kAll);
const afterNow = async () => (await readClock(db)) + 1;

/** Devices of a user, each heard from later than the one before, with one update whose outcome it has not seen. */
async function devices(user: string, number: number) {
  const made: { device: Device; unit: ReturnType<Device['unit']> }[] = [];
  for (let n = 0; n < number; n++) {
    const device = new Device(user);
    const { unit, result } = await device.push([create(device.realm, `${n}`, { name: 'n' })]);
    expect(result).toMatchObject({ status: 'applied' });
    made.push({ device, unit });
    const at = String(n + 1);
    await db.query(`update skerry.client set at = $1::text::bigint where client = $2::text`, [
      ...[at, device.wire.id],
    ]);
  }
  return made;
}

test.each([0, 1, 2, 3, 4, 5])('of %i rows none is left out, nor comes twice', async (count) => {
  const all = Array.from({ length: count }, (_, i) => `row ${i}`);
  const read = async (after: string) => all.filter((name) => name > after).slice(0, 2);
  const found: string[] = [];
  for await (const name of inPortions(read, (each) => each, 2)) found.push(name);
  expect(found).toEqual(all);
});

describe('a client', () => {
  test('is forgotten with all that it left, if its user has a hundred others', async () => {
    const user = newUser();
    const all = await devices(user, limits.clientsKept + 3);
    const [first, silent, third] = all.slice(0, 3).map(({ device }) => device) as [
      Device,
      Device,
      Device,
    ];
    const { realm } = first;
    await forgetAll(realm);
    // Outcomes that nobody has seen are kept.
    expect(await countOf(silent)).toEqual({ chains: 1, entries: 1 });
    const actions = () => count('action where realm = $1::text', realm);
    expect(await actions()).toBe(all.length);
    for (const [before, gone] of [
      ...([
        [2, 2],
        [await afterNow(), 3],
        [await afterNow(), 3],
      ] as const),
    ]) {
      await forgetClients(db, before, always);
      expect(await forgottenOf(user)).toBe(gone);
    }
    // The realm's first entry names its founder.
    expect(await countOf(first)).toEqual({ chains: 0, entries: 1 });
    for (const one of [silent, third])
      expect(await countOf(one)).toEqual({ chains: 0, entries: 0 });
    expect(await actions()).toBe(limits.clientsKept + 1);
    for (const { device, unit } of all.slice(3)) {
      expect(await countOf(device)).toEqual({ chains: 1, entries: 1 });
      expect(await pushed(unit)).toMatchObject({ status: 'duplicate' });
    }
  });

  test('that is forgotten takes a new identity, and nothing is applied twice', async () => {
    const user = newUser();
    const { device, unit } = (await devices(user, 2))[1] as NonNullable<
      Awaited<ReturnType<typeof devices>>[number]
    >;
    // Its first update follows nothing: it would fit a second time.
    const early = new Device(user);
    const { unit: first } = await early.push([inc(early.realm, '1', 2)]);
    const others = await devices(user, limits.clientsKept);
    const later = device.unit([inc(device.realm, '1', 5)]);
    expect(await pushed(later)).toMatchObject({ status: 'applied' });
    // What is at the floor stays known.
    await others[1]?.device.push([inc(device.realm, '2', 1)]);
    for (const { wire } of [device, early])
      await db.query(`update skerry.client set at = 0 where client = $1::text`, [wire.id]);
    await forgetAll(device.realm);
    await forgetClients(db, await afterNow(), always);
    for (const one of [unit, later, first, device.unit([inc(device.realm, '1', 1)])]) {
      expect(await pushed(one)).toEqual({ id: one.update.id, status: 'unknown_client' });
    }
    // A copy of an update, under a new identity: the server cannot know what became of it.
    const next = new Device(user);
    const copy = next.unit([inc(device.realm, '1', 5)], device.wire.id);
    const { actions } = later.update;
    const result = await pushed({ ...copy, update: { ...copy.update, actions } });
    expect(result).toMatchObject({ status: 'rejected', rejected: [{ code: 'outcome_unknown' }] });
    const [row] = await db.query<{ population: string }>(
      `select population::text as population from cities where realm = $1::text and id = $2::text`,
      [device.realm, `${device.realm}/1`],
    );
    expect(row?.population).toBe('7');
  });

  test('is active with every push, and not forgotten then', async () => {
    const user = newUser();
    const all = await devices(user, limits.clientsKept + 2);
    const [first] = all;
    const { device, unit } = first as NonNullable<typeof first>;
    const before = await readClock(db);
    expect(await pushed(unit)).toMatchObject({ status: 'duplicate' });
    await forgetClients(db, before, always);
    expect(await forgottenOf(user)).toBe(2);
    expect(await countOf(device)).toEqual({ chains: 1, entries: 1 });
  });

  test('whose entries are young leaves them to the log, which forgets them in time', async () => {
    const user = newUser();
    const all = await devices(user, limits.clientsKept + 2);
    const silent = all[1]?.device as Device;
    await forgetClients(db, await afterNow(), always);
    expect(await countOf(silent)).toEqual({ chains: 0, entries: 1 });
    await forgetAll(silent.realm);
    expect(await countOf(silent)).toEqual({ chains: 0, entries: 0 });
  });

  test('of another user is not counted', async () => {
    const made = [await devices(newUser(), limits.clientsKept), await devices(newUser(), 1)];
    await forgetClients(db, await afterNow(), always);
    for (const { device } of made.flat())
      expect(await countOf(device)).toEqual({ chains: 1, entries: 1 });
  });
});

test('refusals are forgotten where nothing was applied, wherever they are', async () => {
  const device = new Device(newUser());
  const foreign = create(uuid7(), 'x', { name: 'x' });
  const { unit, result } = await device.push([foreign]);
  expect(result).toMatchObject({ status: 'rejected' });
  await device.push([create(device.realm, 'a', { name: 'a' })]);
  const before = await afterNow();
  expect(await countOf(device)).toMatchObject({ chains: 2 });
  expect(await forgetRefusals(db, before - 3_600_000, always)).toBe(0);
  expect(await pushed(unit)).toMatchObject({ status: 'rejected' });
  expect(await forgetRefusals(db, before, always)).toBeGreaterThan(0);
  expect(await countOf(device)).toMatchObject({ chains: 1 });
});

describe('versions of rights', () => {
  const versions = (user: string) => count('rights_given where user_id = $1::text', user);
  const current = (user: string) => count('user_rights where user_id = $1::text', user);

  async function joinsAndLeaves(user: string, times: number): Promise<Device & { team: string }> {
    const owner = new Device(newUser());
    const team = uuid7();
    await owner.push([invite(team, owner.user, 'owner')]);
    for (let n = 0; n < times; n++) {
      for (const op of [invite(team, user, 'reader'), remove(team, user)]) {
        expect((await owner.push([op])).result).toMatchObject({ status: 'applied' });
      }
    }
    return Object.assign(owner, { team });
  }

  test('that were followed by others are forgotten, and the present one is not', async () => {
    const user = newUser();
    const owner = await joinsAndLeaves(user, 3);
    await owner.push([invite(owner.team, user, 'reader')]);
    expect(await versions(user)).toBe(7);
    expect(await forgetRights(db, (await afterNow()) - 3_600_000, always)).toBe(0);
    await forgetRights(db, await afterNow(), always);
    expect([await versions(user), await current(user)]).toEqual([1, 1]);
  });

  test('stay while they are younger than what followed long ago', async () => {
    const user = newUser();
    await joinsAndLeaves(user, 1);
    const between = await readClock(db);
    await db.query(
      `update skerry.rights_given set at = $2::text::bigint where user_id = $1::text`,
      [user, String(between - 10)],
    );
    await db.query(`update skerry.user_rights set at = at + 1000 where user_id = $1::text`, [user]);
    await forgetRights(db, between - 10, always);
    expect(await versions(user)).toBe(2);
    await forgetRights(db, between - 11, always);
    expect(await versions(user)).toBe(2);
  });

  test('of a user without any membership are forgotten altogether', async () => {
    const user = newUser();
    await joinsAndLeaves(user, 2);
    await forgetRights(db, await afterNow(), always);
    expect([await versions(user), await current(user)]).toEqual([0, 0]);
  });
});
