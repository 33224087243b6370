/** `skerry/tanstack`: collections of TanStack DB over tables: live queries and joins read them, and writes are Skerry's. */
import { createCollection, createTransaction, eq, liveQueryCollectionOptions } from '@tanstack/db';
import { ValidationError } from 'skerry';
import { skerryCollectionOptions, skerryMutationFn } from 'skerry/tanstack';
import { memory } from 'skerry/testing';
import { expect, expectTypeOf, test } from 'vitest';
import { fresh, until } from './support.ts';

async function collections() {
  const host = memory();
  const db = await fresh(host);
  const groups = createCollection(skerryCollectionOptions({ db, table: 'groups' }));
  const people = createCollection(skerryCollectionOptions({ db, table: 'people' }));
  const members = createCollection(skerryCollectionOptions({ db, table: 'members' }));
  await Promise.all([groups.preload(), people.preload(), members.preload()]);
  return { host, db, groups, people, members };
}
const newId = () => crypto.randomUUID();

test('a row that is inserted is there at once, in Skerry too, and after a restart', async () => {
  const { host, db, groups } = await collections();
  const id = newId();
  const changes: string[] = [];
  groups.subscribeChanges((list) => changes.push(...list.map(({ type }) => type)));
  const transaction = groups.insert({ id, name: 'Crew' });
  expect(groups.get(id)?.name).toBe('Crew');
  expect(db.groups.get(id)?.name).toBe('Crew');
  await transaction.isPersisted.promise;
  expectTypeOf(groups.get(id)?.name).toEqualTypeOf<string | undefined>();
  await until(() => groups.get(id)?.createdAt instanceof Date);
  expect(changes).not.toContain('delete');
  await db.close();
  const again = await fresh(host);
  expect(again.groups.get(id)?.name).toBe('Crew');
});

test('updates and deletes are Skerry’s, and what Skerry changes comes', async () => {
  const { db, groups } = await collections();
  const id = db.mutate.addGroup('One').result;
  await until(() => groups.get(id)?.name === 'One');
  groups.update(id, (row) => {
    row.name = 'Two';
  });
  expect(groups.get(id)?.name).toBe('Two');
  await until(() => db.groups.get(id)?.name === 'Two');
  db.transact((tx) => tx.groups.update(id, { name: 'Three' }));
  await until(() => groups.get(id)?.name === 'Three');
  await groups.delete(id).isPersisted.promise;
  expect(db.groups.get(id)).toBeUndefined();
  expect(groups.has(id)).toBe(false);
});

test('a prop that is removed is unset', async () => {
  const db = await fresh(memory());
  const cities = createCollection(skerryCollectionOptions({ db, table: 'cities' }));
  await cities.preload();
  const row = { id: 'x', name: 'X', country: 'SE', population: 1 };
  await cities.insert({ ...row, founded: new Date(5), size: 's' } as never).isPersisted.promise;
  await until(() => cities.get('x')?.founded instanceof Date);
  await cities.update('x', (city) => {
    (city as { founded?: Date | undefined }).founded = undefined;
  }).isPersisted.promise;
  expect(db.cities.get('x')).toMatchObject({ name: 'X', founded: null });
});

test('a live query joins collections, and follows changes of both', async () => {
  const { db, groups, people, members } = await collections();
  const inGroups = createCollection(
    liveQueryCollectionOptions({
      query: (q) =>
        q
          .from({ member: members })
          .join({ person: people }, ({ member, person }) => eq(member.person, person.id), 'inner')
          .join({ group: groups }, ({ member, group }) => eq(member.group, group.id), 'inner')
          .select(({ person, group }) => ({ person: person.name, group: group.name })),
    }),
  );
  await inGroups.preload();
  const { result } = db.transact((tx) => {
    const group = tx.groups.create({ name: 'Crew' });
    const person = tx.people.create({ name: 'Ada' });
    tx.members.create({ group, person });
    return { group, person };
  });
  await until(() => inGroups.size === 1);
  expect(inGroups.toArray[0]).toMatchObject({ person: 'Ada', group: 'Crew' });
  people.update(result.person, (row) => {
    row.name = 'Ada L.';
  });
  await until(() => inGroups.toArray[0]?.person === 'Ada L.');
  db.transact((tx) => tx.groups.delete(result.group)); // and its members, by cascade
  await until(() => inGroups.size === 0);
});

test('a transaction over several collections is one of Skerry’s, whole or not at all', async () => {
  const { db, groups, people, members } = await collections();
  const [group, person] = [newId(), newId()];
  const transaction = createTransaction({ autoCommit: false, mutationFn: skerryMutationFn(db) });
  transaction.mutate(() => {
    groups.insert({ id: group, name: 'Crew' });
    people.insert({ id: person, name: 'Ada' });
    members.insert({ id: newId(), group, person });
  });
  await transaction.commit();
  expect([db.groups.count(), db.people.count(), db.members.count()]).toEqual([1, 1, 1]);
  const bad = createTransaction({ autoCommit: false, mutationFn: skerryMutationFn(db) });
  bad.mutate(() => {
    groups.insert({ id: newId(), name: 'Other' });
    members.insert({ id: newId(), group, person: 5 } as never);
  });
  await expect(bad.commit()).rejects.toThrow();
  expect(db.groups.count()).toBe(1);
  await until(() => groups.size === 1);
});

test('a collection of a part of a table has these rows, and no others', async () => {
  const db = await fresh(memory());
  for (const [id, country] of [
    ['a', 'SE'],
    ['b', 'FI'],
  ] as const)
    db.mutate.addCity({ id, name: id, country });
  const swedish = createCollection(
    skerryCollectionOptions({
      ...{ db, table: 'cities', id: 'swedish' },
      query: (cities) => cities.where('country', '=', 'SE'),
    }),
  );
  await swedish.preload();
  expect(swedish.toArray.map(({ id }) => id)).toEqual(['a']);
  db.transact((tx) => tx.cities.update('b', { country: 'SE' }));
  await until(() => swedish.size === 2);
  db.transact((tx) => tx.cities.update('a', { country: 'FI' }));
  await until(() => swedish.size === 1);
  await swedish.cleanup();
});

test('a row that was read can be written back: as a copy, again, and as a whole', async () => {
  const { db, groups } = await collections();
  const id = newId();
  await groups.insert({ id, name: 'Crew' }).isPersisted.promise;
  await until(() => groups.get(id)?.createdAt instanceof Date);
  const row = groups.get(id) as NonNullable<ReturnType<typeof groups.get>>;
  const copy = newId();
  await groups.insert({ ...row, id: copy }).isPersisted.promise;
  expect(db.groups.get(copy)?.name).toBe('Crew');
  await groups.update(id, (draft) => Object.assign(draft, { ...row, name: 'Sailors' })).isPersisted
    .promise;
  expect(db.groups.get(id)).toMatchObject({ name: 'Sailors', realm: row.realm });
  await groups.delete(id).isPersisted.promise;
  await groups.insert(row).isPersisted.promise;
  expect(db.groups.get(id)?.name).toBe('Crew');
});

test('optional props, and those with a default, may be omitted in a new row', async () => {
  const db = await fresh(memory());
  const cities = createCollection(skerryCollectionOptions({ db, table: 'cities' }));
  await cities.preload();
  await cities.insert({ id: 'x', name: 'X', country: 'SE' }).isPersisted.promise;
  await until(() => cities.get('x')?.population === 0);
  // @ts-expect-error: a name is needed
  await expect(cities.insert({ id: 'y', country: 'SE' }).isPersisted.promise).rejects.toThrow();
  expect(cities.has('y')).toBe(false);
});

test('an unknown table, or another database’s collection, is refused', async () => {
  const { db, groups } = await collections();
  expect(() => skerryCollectionOptions({ db, table: 'sync' as never })).toThrow(ValidationError);
  const other = await fresh(memory());
  const transaction = createTransaction({ mutationFn: skerryMutationFn(other), autoCommit: false });
  transaction.mutate(() => groups.insert({ id: newId(), name: 'x' }));
  await expect(transaction.commit()).rejects.toThrow(ValidationError);
  expect(db.groups.count()).toBe(0);
});
