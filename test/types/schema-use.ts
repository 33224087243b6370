/**
 * What must compile, and, where marked, must not: the inference of rows, queries and mutators from a schema. Checked by
 * tsc, never run. An error that is expected but does not come is an error itself.
 */
import {
  type Database,
  defineMutators,
  type Live,
  type NewRow,
  open,
  type Patch,
  type Row,
  schema,
  type Tx,
  t,
  table,
  UnsyncedError,
} from 'skerry';

class Money {
  constructor(readonly amount: number) {}
}
class Continent {
  static readonly EU = new Continent(1);
  static readonly AS = new Continent(2);
  private constructor(private readonly order: number) {}
  isBefore(other: Continent): boolean {
    return this.order < other.order;
  }
}

export const app = schema(
  {
    cities: table(
      {
        name: t.string(),
        country: t.string().index(),
        population: t.number(),
        founded: t.date().optional(),
        size: t.enum(['s', 'm', 'l']),
        continent: t.enum('Continent', { EU: Continent.EU, AS: Continent.AS }),
        product: t
          .class<Money>('Money', {
            to: (v) => v.amount,
            from: (j) => new Money(j as number),
            class: Money,
          })
          .optional(),
        notes: t.json<{ tags: string[] }>().optional(),
        flag: t.bytes().optional(),
      },
      { id: t.string() },
    ),
    groups: table({ name: t.string(), n: t.number().default(0) }),
    members: table({
      group: t.ref('groups', { onDelete: 'cascade', touch: true }),
      user: t.ref('users', { onDelete: 'cascade' }),
    }),
    users: table({ name: t.string() }, { autosubscribe: true }),
  },
  { version: 2, accepts: [1] },
);
type Use<T> = (value: T) => void;
export function check<T>(_value: T): void {}

// Schemas that make no sense.
// @ts-expect-error a ref to no table
schema({ a: table({ x: t.ref('nope') }) }, { version: 1 });
// @ts-expect-error `sync` would hide a member of Database
schema({ sync: table({ x: t.string() }) }, { version: 1 });
// @ts-expect-error `undo` is kept for a member to come
schema({ undo: table({ x: t.string() }) }, { version: 1 });
// @ts-expect-error every row has its own `id`
schema({ a: table({ id: t.string() }) }, { version: 1 });
// @ts-expect-error a default of another type
t.number().default('1');

const mutators = defineMutators(app, {
  rename: (tx, { id, name }: { id: string; name: string }) => tx.cities.update(id, { name }),
});

export async function database(): Promise<void> {
  const db = await open({
    name: 'demo',
    schema: app,
    scopes: (q) => [q.cities.where('country', '=', 'SE')],
    mutators: {
      ...mutators,
      addGroup: (tx, name: string) => tx.groups.create({ name }),
      nothing: (tx) => {
        tx.groups.create({ name: 'x' });
      },
      asyncOne: async (tx, _x: number) => {
        tx.groups.create({ name: 'x' });
      },
    },
  });

  // Mutators: argument and result are inferred.
  check<boolean>(db.mutate.rename({ id: 'x', name: 'y' }).result);
  check<string>(db.mutate.addGroup('g').result);
  check<Promise<void>>(db.mutate.nothing().confirmed);
  check<never>(db.mutate.asyncOne(1).result);
  // @ts-expect-error a wrong argument
  db.mutate.rename({ id: 1 });
  // @ts-expect-error no such mutator
  db.mutate.other();

  // Rows.
  const city = db.cities.get('x');
  check<boolean>(db.cities.isPending('x', { realm: 'team' }));
  db.cities.get('x', { realm: undefined });
  // @ts-expect-error it may be missing
  city.name;
  // @ts-expect-error a UUID names one object in all realms
  db.users.get('x', { realm: 'team' });
  if (city) {
    check<Date | null>(city.founded);
    check<'s' | 'm' | 'l'>(city.size);
    check<boolean>(city.continent.isBefore(Continent.AS));
    check<Money | null>(city.product);
    check<{ tags: string[] } | null>(city.notes);
    check<Date>(city.modifiedAt);
    check<Row<typeof app, 'cities'>>(city);
    // @ts-expect-error rows are read-only
    city.name = 'x';
  }

  // Queries.
  db.cities
    .where('population', '>', 1e6)
    .where('founded', '=', null)
    .orderBy('population', 'desc')
    .limit(50)
    .all();
  db.cities
    .where('size', 'in', ['s', 'm'])
    .where((b) => b.or(b.cmp('name', 'like', 'S%'), b.not(b.cmp('population', '<', 3))))
    .count();
  check<number>(db.cities.sum('population'));
  check<string | undefined>(db.cities.min('name'));
  check<Live<number>>(db.cities.liveCount());
  db.groups.where((b) => b.exists('members', (q) => q.where('user', '=', 'u'))).first();
  db.members.where((b) => b.related('group', (q) => q.where('name', '=', 'g'))).first();
  db.members.where((b) => b.and(b.related('group'), b.cmp('user', '=', 'u'))).live();
  db.cities.orderBy('name', 'asc', { collate: 'sv' }).orderBy('country', undefined, {});
  // @ts-expect-error a locale orders text
  db.cities.orderBy('population', 'asc', { collate: 'sv' });
  // @ts-expect-error the names of an enum are no text for people
  db.cities.orderBy('size', 'asc', { collate: 'sv' });
  // @ts-expect-error nor are ids
  db.members.orderBy('group', 'asc', { collate: 'sv' });
  // @ts-expect-error a locale is named
  db.cities.orderBy('name', 'asc', { collate: true });
  // @ts-expect-error no order among objects of a class
  db.cities.where('product', '>', new Money(1));
  // @ts-expect-error no such prop
  db.cities.where('nam', '=', 'x');
  // @ts-expect-error not of the enum
  db.cities.where('size', '=', 'xl');
  // @ts-expect-error a sum of text
  db.cities.sum('name');
  // @ts-expect-error nothing refers to users from cities
  db.users.where((b) => b.exists('cities'));
  // @ts-expect-error this prop is no ref
  db.groups.where((b) => b.related('name'));
  // @ts-expect-error the group has no such prop
  db.members.where((b) => b.related('group', (q) => q.where('user', '=', 'u')));

  // Included rows.
  const groups = db.groups.include('members', (q) => q.include('user')).all();
  check<string | undefined>(groups[0]?.members[0]?.user?.name);
  check<string | undefined>(db.members.where('group', '=', 'a').first()?.group);
  check<string | undefined>(db.members.include('group').first()?.group?.name);
  // @ts-expect-error cities refer to no group
  db.groups.include('cities');

  // Writing.
  const id = db.transact((tx) => {
    tx.cities.inc('x', { population: 1 });
    tx.cities.updateWhere(tx.cities.where('country', '=', 'SE'), { founded: null });
    return tx.groups.create({ name: 'a' });
  }).result;
  check<string>(id);
  db.transact((tx) => {
    // @ts-expect-error an application-defined id is needed
    tx.cities.create({
      name: 'n',
      country: 'SE',
      population: 1,
      size: 's',
      continent: Continent.EU,
    });
    tx.cities.create({
      id: 'n',
      name: 'n',
      country: 'SE',
      population: 1,
      size: 's',
      continent: Continent.EU,
    });
    // @ts-expect-error a prop is missing
    tx.cities.create({ id: 'n', name: 'n' });
    // @ts-expect-error no such prop
    tx.cities.update('x', { nam: 'x' });
    // @ts-expect-error not optional
    tx.cities.update('x', { name: null });
    // @ts-expect-error inc is for numbers
    tx.cities.inc('x', { name: 1 });
  });
  // @ts-expect-error there is no writing outside of a transaction
  db.cities.create({});

  await using _closed = db;
}

export async function inferredWhereverTheSchemaStands(): Promise<void> {
  const late = await open({
    name: 'demo',
    mutators: { a: (tx, { id }: { id: string }) => tx.cities.update(id, { name: 'x' }) },
    schema: app,
  });
  check<boolean>(late.mutate.a({ id: 'x' }).result);
  const bare = await open({ name: 'x', schema: app });
  bare.cities.all();
}

export async function accounts(db: Database): Promise<void> {
  check<Blob>(await db.export());
  check<void>(await db.import(await db.export({ pendingOnly: true })));
  await db.logout();
  await db
    .logout({ unsynced: 'keep' })
    .catch((error: UnsyncedError) => check<number>(error.pending));
  // @ts-expect-error no such way
  await db.logout({ unsynced: 'lose' });
  // @ts-expect-error a file is a Blob
  await db.import('text');
  db.on('closed', ({ reason }) => check<boolean>(reason === 'logout'));
  await open({ name: 'x', schema: app, user: 'anna', adoptLocal: true });
  // @ts-expect-error it is true or false
  await open({ name: 'x', schema: app, adoptLocal: 'yes' });
}

// The named types, over the schema.
export const row: Use<Row<typeof app, 'groups'>> = ({ name, n }) =>
  check<[string, number]>([name, n]);
export const fresh: NewRow<typeof app, 'groups'> = { name: 'x' };
export const patch: Patch<typeof app, 'cities'> = { founded: null, name: 'x' };
// The bytes of a row go into a file; any bytes go into a row. An error is recognised by its class.
export const file = (city: Row<typeof app, 'cities'>) => new Blob(city.flag ? [city.flag] : []);
export const withBytes = (
  tx: Tx<typeof app>,
  shared: Uint8Array<SharedArrayBuffer>,
  any: Uint8Array,
) => {
  tx.cities.update('x', { flag: shared });
  tx.cities.update('x', { flag: any });
  // @ts-expect-error other numbers are no bytes
  tx.cities.update('x', { flag: new Uint16Array(2) });
};
export const isUnsynced = (error: unknown) => error instanceof UnsyncedError && error.pending > 0;

// A whole row is given back, and a copy is made of it; but what the database sets is not asked for by name.
export const putBack = (
  tx: Tx<typeof app>,
  city: Row<typeof app, 'cities'>,
  group: Row<typeof app, 'groups'>,
) => {
  check<boolean>(tx.cities.update(city.id, { ...city, name: 'x' }));
  check<string>(tx.cities.upsert({ ...city, name: 'x' }));
  check<string>(tx.groups.create({ ...group, id: undefined }));
  // @ts-expect-error the database sets it
  tx.groups.update(group.id, { modifiedAt: new Date() });
  // @ts-expect-error the id of a row does not change
  tx.groups.update(group.id, { id: 'x' });
  // @ts-expect-error the database sets it
  tx.groups.create({ name: 'x', createdAt: new Date() });
};
export const putBackIncluded = (tx: Tx<typeof app>) => {
  const [member] = tx.members.include('group').all();
  // @ts-expect-error in place of the ref there is a row
  if (member) tx.members.update(member.id, { ...member });
};
export const withTx = (tx: Tx<typeof app>): string => tx.users.create({ name: 'x' });
export const anyDatabase: Use<Database> = (db) => check<Promise<void>>(db.close());
