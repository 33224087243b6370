/**
 * The application's own rules: what they find is listed, what changes it is held back with all that needs it, the rest goes on, and
 * all of it is pushed once it is right. Rules that throw, answer wrongly, write, or are slow. Method: windows and a worker in memory,
 * with a server in memory, and two devices where others' changes matter.
 */
import { http, open, type SchemaOptions, schema, t, table } from 'skerry';
import { type MemoryHost, memory } from 'skerry/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { patience } from '../support/patience.ts';
import { FakeServer } from './fake-server.ts';
import { collectUncaught, until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const times = { beat: 50, look: 50, timeout: patience(250), retry: 20, retryMax: 40, idle: 60_000 };

interface City {
  readonly name: string;
  readonly population: number;
}
type Rule = (city: City, reader: unknown) => unknown;
const notNegative: Rule = ({ population }) =>
  population < 0 ? `A population of ${population} is impossible.` : undefined;

const groups = {
  groups: table({ name: t.string() }),
  members: table({ name: t.string(), group: t.ref('groups', { onDelete: 'cascade' }) }),
};
type GroupTables = typeof groups;

/** A group has at most three members: those that came last are wrong, and so is the group. */
const atMostThree: NonNullable<SchemaOptions<GroupTables>['validate']> = (reader, changed) => {
  const touched = changed.flatMap((row) =>
    row.table === 'groups' ? row.id : (reader.members.get(row.id)?.group ?? []),
  );
  return [...new Set(touched)].flatMap((id) => {
    const surplus = reader.members.where('group', '=', id).orderBy('createdAt').all().slice(3);
    const message = 'A group has at most three members.';
    const wrong = surplus.map((member) => ({ table: 'members' as const, id: member.id, message }));
    return surplus.length > 0 ? [{ table: 'groups' as const, id, message }, ...wrong] : [];
  });
};

function appWith(cityRule: Rule | undefined, more: { version?: number } = {}) {
  return schema(
    {
      ...groups,
      cities: table(
        { name: t.string(), population: t.number().default(0) },
        { id: t.string(), ...(cityRule ? { validate: cityRule as never } : {}) },
      ),
    },
    { version: more.version ?? 1, accepts: [1, 2], validate: atMostThree as never },
  );
}

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
  vi.restoreAllMocks();
});

async function connect(host: MemoryHost, app = appWith(notNegative)) {
  const db = await open({
    ...{ name: 'test', schema: app, host, scopes: 'all' as const, defaultRealm: 'public' },
    remote: http('http://server.test/v1'),
  });
  opened.push(db);
  return db;
}

async function device(rule: Rule = notNegative) {
  const host = memory({ workerTimes: times });
  const server = new FakeServer(host.network);
  return { host, server, db: await connect(host, appWith(rule)) };
}

/** Two devices with the city A, which has ten people. */
async function two() {
  const one = await device();
  const host = memory({ workerTimes: times });
  one.server.attach(host.network);
  const theirs = await connect(host);
  await one.db.transact((tx) => tx.cities.create({ id: 'A', name: 'A', population: 10 })).confirmed;
  await theirs.sync.waitForSync();
  return { ...one, theirs };
}

const found = (db: { problems: { value: readonly { table: string; id: string }[] } }) =>
  db.problems.value.map((problem) => `${problem.table} ${problem.id}`).sort();

test('lists what is wrong, pushes the rest, and pushes all when it is right', async () => {
  const { db, server } = await device();
  const bad = db.transact((tx) => tx.cities.create({ id: 'A', name: 'A', population: -1 }));
  const good = db.transact((tx) => tx.cities.create({ id: 'B', name: 'B' }));
  const later = db.transact((tx) => tx.cities.update('A', { name: 'again' }));
  expect(db.problems.value).toEqual([
    {
      ...{ table: 'cities', id: 'A', message: 'A population of -1 is impossible.' },
      mutations: [bad.id, later.id],
    },
  ]);
  await good.confirmed;
  await expect(db.sync.waitForSync()).rejects.toMatchObject({
    ...{ name: 'ValidationError', code: 'held' },
  });
  expect([...server.rows.keys()].some((key) => key.includes('A'))).toBe(false);
  expect(db.cities.get('A')?.name).toBe('again');
  const right = db.transact((tx) => tx.cities.update('A', { population: 1 }));
  expect(db.problems.value).toEqual([]);
  await Promise.all([bad.confirmed, later.confirmed, right.confirmed]);
  await db.sync.waitForSync();
});

test('what was held is pushed once it is right, though later changes were pushed', async () => {
  const { db, theirs } = await two();
  db.sync.pause();
  await db.transact((tx) => tx.cities.inc('A', { population: -6 })).durable;
  // Apart from it: pushed and confirmed while the first is held.
  const apart = db.transact((tx) => tx.cities.create({ id: 'B', name: 'B' }));
  await apart.durable;
  await theirs.transact((tx) => tx.cities.inc('A', { population: -6 })).confirmed;
  db.sync.resume();
  await apart.confirmed;
  await until(() => found(db).length === 1);
  await db.transact((tx) => tx.cities.inc('A', { population: 5 })).durable;
  expect(db.problems.value).toEqual([]);
  await db.sync.waitForSync({ timeoutMs: 5_000 });
  await theirs.sync.waitForSync();
  for (const one of [db, theirs]) expect(one.cities.get('A')?.population).toBe(3);
});

test('a row that is deleted is not wrong', async () => {
  const { db } = await device();
  db.transact((tx) => tx.cities.create({ id: 'A', name: 'A', population: -1 }));
  expect(found(db)).toEqual(['cities A']);
  db.transact((tx) => tx.cities.delete('A'));
  expect(db.problems.value).toEqual([]);
  await db.sync.waitForSync();
});

test('two changes that are right alone, and wrong together: all see it, one mends it', async () => {
  const { db, theirs } = await two();
  const mine = db.transact((tx) => tx.cities.inc('A', { population: -6 }));
  const other = theirs.transact((tx) => tx.cities.inc('A', { population: -6 }));
  await Promise.all([mine.pushed, other.pushed]);
  await until(() => [db, theirs].every((one) => found(one).length === 1));
  for (const one of [db, theirs])
    expect(one.problems.value[0]).toMatchObject({ message: 'A population of -2 is impossible.' });
  theirs.transact((tx) => tx.cities.update('A', { population: 0 }));
  await theirs.sync.waitForSync();
  await db.sync.waitForSync();
  for (const one of [db, theirs]) {
    expect(one.problems.value).toEqual([]);
    expect(one.cities.get('A')?.population).toBe(0);
  }
});

test('what others did makes a pending change wrong: it waits until it is right', async () => {
  const { db, theirs, server } = await two();
  db.sync.pause();
  const mine = db.transact((tx) => tx.cities.inc('A', { population: -6 }));
  await mine.durable;
  expect(db.problems.value).toEqual([]);
  await theirs.transact((tx) => tx.cities.inc('A', { population: -6 })).confirmed;
  const pushed = server.pushed.length;
  db.sync.resume();
  await until(() => found(db).length === 1);
  expect(db.problems.value[0]?.mutations).toEqual([mine.id]);
  await expect(db.sync.waitForSync()).rejects.toMatchObject({ code: 'held' });
  expect(server.pushed.length).toBe(pushed);
  db.transact((tx) => tx.cities.inc('A', { population: 5 }));
  await db.sync.waitForSync();
  await theirs.sync.waitForSync();
  for (const one of [db, theirs]) expect(one.cities.get('A')?.population).toBe(3);
});

test('a rule about several rows: what it names is held, with what needs it', async () => {
  const { db, server } = await device();
  const group = db.transact((tx) => tx.groups.create({ name: 'G' })).result;
  const join = (name: string) => db.transact((tx) => tx.members.create({ name, group }));
  for (const name of ['a', 'b', 'c']) await join(name).confirmed;
  expect(db.problems.value).toEqual([]);
  const fourth = join('d');
  expect(found(db)).toEqual([`groups ${group}`, `members ${fourth.result}`]);
  await expect(db.sync.waitForSync()).rejects.toMatchObject({ code: 'held' });
  const names = [...server.rows.values()].map(({ props }) => props['name']).sort();
  expect(names).toEqual(['G', 'a', 'b', 'c']);
  // It is right when another row goes: the rule is asked again about what it found wrong.
  const first = db.members.where('name', '=', 'a').first()?.id as string;
  db.transact((tx) => tx.members.delete(first));
  expect(db.problems.value).toEqual([]);
  await fourth.confirmed;
});

test('what refers to a row that is held waits with it', async () => {
  const { db, server } = await device(() => undefined);
  db.sync.pause();
  const group = db.transact((tx) => tx.groups.create({ name: 'full' })).result;
  const members = db.transact((tx) =>
    tx.members.createMany(['a', 'b', 'c', 'd'].map((name) => ({ name, group }))),
  );
  const apart = db.transact((tx) => tx.groups.create({ name: 'apart' }));
  db.sync.resume();
  await apart.confirmed;
  await expect(db.sync.waitForSync()).rejects.toMatchObject({ code: 'held' });
  expect([...server.rows.values()].map(({ props }) => props['name'])).toEqual(['apart']);
  db.transact((tx) => tx.members.delete(members.result[3] as string));
  await db.sync.waitForSync();
  expect(server.rows.size).toBe(5);
});

test('two windows list the same, and what one makes right the other pushes', async () => {
  const { db, host } = await device();
  const beside = await connect(host);
  const bad = db.transact((tx) => tx.cities.create({ id: 'A', name: 'A', population: -1 }));
  await until(() => found(beside).length === 1);
  expect(beside.problems.value[0]?.mutations).toEqual([bad.id]);
  beside.transact((tx) => tx.cities.update('A', { population: 1 }));
  await bad.confirmed;
  await until(() => db.problems.value.length === 0);
});

test('a restart lists and holds it still; a release without the rule pushes it', async () => {
  const { db, host, server } = await device();
  const bad = db.transact((tx) => tx.cities.create({ id: 'A', name: 'A', population: -1 }));
  await bad.durable;
  await db.close();
  const again = await connect(host);
  await until(() => found(again).length === 1);
  expect(again.problems.value[0]?.mutations).toEqual([bad.id]);
  await expect(again.sync.waitForSync()).rejects.toMatchObject({ code: 'held' });
  expect(server.rows.size).toBe(0);
  await again.close();
  const next = await connect(host, appWith(undefined, { version: 2 }));
  await next.sync.waitForSync();
  expect(server.rows.size).toBe(1);
  expect(next.problems.value).toEqual([]);
});

describe('a rule that is wrong itself', () => {
  const broken: readonly [string, Rule, RegExp][] = [
    [
      'throws',
      () => {
        throw new TypeError('of the rule');
      },
      /cities A: it threw TypeError: of the rule/,
    ],
    ['answers with true', () => true, /cities A: .* not with true/],
    ['answers with a list', () => ['wrong'], /cities A: .* not with \["wrong"\]/],
    ['answers with nothing to read', () => '', /cities A: .* not with ""/],
    ['answers later', () => Promise.resolve('wrong'), /cities A: .* not with \{\}/],
  ];
  test.each(broken)(
    '%s: an error names its table and row; it finds nothing',
    async (_, rule, message) => {
      await collectUncaught(async (uncaught) => {
        const { db } = await device(rule);
        const city = db.transact((tx) => tx.cities.create({ id: 'A', name: 'A', population: -1 }));
        await city.confirmed;
        expect(db.problems.value).toEqual([]);
        await until(() => uncaught.length > 0);
        expect(uncaught[0]).toMatchObject({ name: 'ValidationError', code: 'validate' });
        expect((uncaught[0] as Error).message).toMatch(message);
        // It stops no other rule.
        const group = db.transact((tx) => tx.groups.create({ name: 'G' })).result;
        db.transact((tx) =>
          tx.members.createMany(['a', 'b', 'c', 'd'].map((name) => ({ name, group }))),
        );
        expect(found(db)).toHaveLength(2);
      });
    },
  );

  test('writes: it is refused', async () => {
    await collectUncaught(async (uncaught) => {
      const self: { db?: Awaited<ReturnType<typeof connect>> } = {};
      const { db } = await device(() => self.db?.transact((tx) => tx.groups.create({ name: 'x' })));
      self.db = db;
      db.transact((tx) => tx.cities.create({ id: 'A', name: 'A' }));
      await until(() => uncaught.length > 0);
      expect(String((uncaught[0] as Error).message)).toMatch(/only reads/);
      expect(db.groups.count()).toBe(0);
    });
  });

  test('is slow: a warning names the table, once until it takes twice as long', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const slow: Rule = () => {
      const from = performance.now();
      while (performance.now() - from < 60);
    };
    const { db } = await device(slow);
    for (const id of ['A', 'B']) db.transact((tx) => tx.cities.create({ id, name: id }));
    expect(warn.mock.calls.flat()).toEqual([expect.stringMatching(/table cities took \d+ ms/)]);
  });

  test('is no function: the schema says so', () => {
    expect(() => table({ name: t.string() }, { validate: 7 as never })).toThrow(/validate/);
    expect(() => schema({}, { version: 1, validate: 'x' as never })).toThrow(/validate/);
  });
});

test('a schema says that it has rules; one without them does not', () => {
  expect(appWith(notNegative).toJSON()).toMatchObject({ validates: true });
  expect(schema(groups, { version: 1 }).toJSON()).not.toHaveProperty('validates');
});

test('problems are the same list until they differ, and subscribers hear once', async () => {
  const { db } = await device();
  const heard: number[] = [];
  db.problems.subscribe((problems) => heard.push(problems.length));
  await until(() => heard.length === 1);
  const before = db.problems.value;
  db.transact((tx) => tx.cities.create({ id: 'B', name: 'B' }));
  expect(db.problems.value).toBe(before);
  db.transact((tx) => {
    tx.cities.create({ id: 'A', name: 'A', population: -1 });
    tx.cities.create({ id: 'C', name: 'C', population: -2 });
  });
  expect(heard).toEqual([0, 2]);
});

test('thousands of rows are looked at in parts when a window opens', async () => {
  const { db, host } = await device();
  await db.transact((tx) => {
    for (let i = 0; i < 3_000; i++)
      tx.cities.create({ id: `c${i}`, name: 'x', population: i === 2_999 ? 7 : 1 });
  }).confirmed;
  await db.close();
  const strict: Rule = ({ population }) => (population === 7 ? 'Seven is too many.' : undefined);
  const again = await connect(host, appWith(strict, { version: 2 }));
  await until(() => found(again).length === 1);
  expect(found(again)).toEqual(['cities c2999']);
  expect(again.problems.value[0]?.mutations).toEqual([]);
});
