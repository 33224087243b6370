/**
 * `db.realms`: founding, inviting, roles and leaving as mutations that are applied at once, without a server. What the server
 * makes of them is tested in test/server/rights.test.ts, and both together in test/browser/realms.test.ts.
 */
import { LimitError, NotFoundError, ReadOnlyError, ValidationError } from 'skerry';
import { memory } from 'skerry/testing';
import { describe, expect, test } from 'vitest';
import { fresh, turn } from './support.ts';
import { connect, world } from './sync-world.ts';

const roles = (members: readonly { user: string; role: string }[]) =>
  members.map(({ user, role }) => `${user} ${role}`);

describe('a realm, offline', () => {
  test('is founded at once, with its founder as owner and the first member', async () => {
    const db = await fresh(memory(), { user: 'anna' });
    const seen: number[] = [];
    const stop = db.realms.subscribe((realms) => seen.push(realms.length));
    await turn();
    const founded = db.realms.create();
    const realm = founded.result;
    expect(realm).toMatch(/^[0-9a-f-]{36}$/);
    expect(db.realms.value).toEqual([{ realm, role: 'owner' }]);
    expect(db.realms.role(realm)).toBe('owner');
    expect(db.realms.role('another')).toBeNull();
    expect(seen).toEqual([0, 1]);
    expect(db.realms.members(realm).value).toEqual([
      {
        user: 'anna',
        role: 'owner',
        createdAt: expect.any(Date),
        pending: expect.any(Boolean),
        accepted: true,
      },
    ]);
    const id = db.transact((tx) => tx.groups.create({ name: 'ours', realm })).result;
    expect(db.groups.get(id)?.realm).toBe(realm);
    stop();
    await founded.durable;
  });

  test('has members that come, change and go; a second invitation takes nothing away', async () => {
    const db = await fresh(memory(), { user: 'anna' });
    const realm = db.realms.create().result;
    const members = db.realms.members(realm);
    db.realms.invite(realm, 'bo', 'writer');
    db.realms.invite(realm, 'bo', 'reader');
    expect(roles(members.value)).toEqual(['anna owner', 'bo writer']);
    expect(members.value).toBe(members.value);
    db.realms.invite(realm, 'bo', 'owner');
    expect(roles(members.value)).toEqual(['anna owner', 'bo owner']);
    db.realms.setRole(realm, 'bo', 'reader');
    expect(roles(members.value)).toEqual(['anna owner', 'bo reader']);
    db.realms.remove(realm, 'bo');
    expect(roles(members.value)).toEqual(['anna owner']);
    db.realms.leave(realm);
    expect(members.value).toEqual([]);
    expect(db.realms.value).toEqual([]);
  });

  test('shows that the own role has changed, to subscribers, too', async () => {
    const db = await fresh(memory(), { user: 'anna' });
    const realm = db.realms.create().result;
    db.realms.invite(realm, 'bo', 'owner');
    const seen: string[][] = [];
    const stop = db.realms.subscribe((realms) => seen.push(realms.map(({ role }) => role)));
    await turn();
    for (const role of ['writer', 'reader'] as const) {
      // Of others, as a pull brings it: who is no owner any more cannot change it.
      if (role === 'writer') db.realms.setRole(realm, 'anna', role);
      else db.realms.leave(realm);
      await turn();
    }
    expect(seen).toEqual([['owner'], ['writer'], []]);
    stop();
    expect(db.realms.value).toEqual([]);
  });

  test('keeps an owner, and names what is wrong', async () => {
    const db = await fresh(memory(), { user: 'anna' });
    const realm = db.realms.create().result;
    db.realms.invite(realm, 'bo', 'reader');
    expect(() => db.realms.leave(realm)).toThrow(ValidationError);
    expect(() => db.realms.remove(realm, 'anna')).toThrow(/must have an owner/);
    expect(() => db.realms.setRole(realm, 'anna', 'writer')).toThrow(/must have an owner/);
    expect(db.realms.role(realm)).toBe('owner');
    expect(() => db.realms.setRole(realm, 'cy', 'writer')).toThrow(NotFoundError);
    expect(() => db.realms.remove(realm, 'cy')).toThrow(NotFoundError);
    expect(() => db.realms.invite(realm, 'cy', 'king' as never)).toThrow(ValidationError);
    expect(() => db.realms.invite(realm, '', 'reader')).toThrow(ValidationError);
    expect(() => db.realms.invite(realm, 'å'.repeat(46), 'reader')).toThrow(LimitError);
    expect(() => db.realms.invite(crypto.randomUUID(), 'bo', 'reader')).toThrow(ReadOnlyError);
    expect(roles(db.realms.members(realm).value)).toEqual(['anna owner', 'bo reader']);
  });

  test('needs a user', async () => {
    const db = await fresh();
    expect(db.realms.value).toEqual([]);
    expect(db.realms.role('x')).toBeNull();
    expect(() => db.realms.create()).toThrow(ValidationError);
  });
});

describe('what the own role forbids', () => {
  const demoted = async (role: 'reader' | 'writer') => {
    const db = await fresh(memory(), { user: 'anna' });
    const realm = db.realms.create().result;
    const group = db.transact((tx) => tx.groups.create({ name: 'ours', realm })).result;
    db.realms.invite(realm, 'bo', 'owner');
    db.realms.setRole(realm, 'anna', role);
    return { db, realm, group };
  };

  test('a reader writes nothing, and may leave', async () => {
    const { db, realm, group } = await demoted('reader');
    const home = db.transact((tx) => tx.groups.create({ name: 'mine' })).result;
    expect(() => db.transact((tx) => tx.groups.create({ name: 'x', realm }))).toThrow(
      ReadOnlyError,
    );
    expect(() => db.transact((tx) => tx.groups.update(group, { name: 'x' }))).toThrow(
      ReadOnlyError,
    );
    expect(() => db.transact((tx) => tx.groups.delete(group))).toThrow(ReadOnlyError);
    expect(() => db.transact((tx) => tx.groups.move(home, realm))).toThrow(ReadOnlyError);
    expect(() => db.realms.invite(realm, 'cy', 'reader')).toThrow(ReadOnlyError);
    expect(db.groups.get(group)?.name).toBe('ours');
    expect(db.groups.get(home)?.realm).not.toBe(realm);
    db.realms.leave(realm);
    expect(db.realms.role(realm)).toBeNull();
  });

  test('a writer writes rows, and changes no members', async () => {
    const { db, realm, group } = await demoted('writer');
    db.transact((tx) => tx.groups.update(group, { name: 'x' }));
    expect(db.groups.get(group)?.name).toBe('x');
    expect(() => db.realms.invite(realm, 'cy', 'reader')).toThrow(ReadOnlyError);
    expect(() => db.realms.setRole(realm, 'anna', 'owner')).toThrow(ReadOnlyError);
    expect(() => db.realms.remove(realm, 'bo')).toThrow(ReadOnlyError);
  });
});

test('memberships are pushed as ops of $members, and asked for without a scope', async () => {
  const { host, server } = world();
  const db = await connect(host, { user: 'anna' });
  const realm = db.realms.create().result;
  await db.realms.invite(realm, 'bo', 'writer').pushed;
  const ops = server.pushed.flatMap((update) => update.ops);
  expect(ops).toEqual([
    expect.objectContaining({
      ...{ op: 'create', table: '$members', id: `${realm}/anna`, realm },
      set: { user: 'anna', role: 'owner' },
    }),
    expect.objectContaining({
      ...{ op: 'create', table: '$members', id: `${realm}/bo`, realm },
      set: { user: 'bo', role: 'writer' },
    }),
  ]);
  expect(Object.keys(db)).not.toContain('$members');
});
