// Goal: what strangers did with streams and lost something by: releases of a reducer in any order, a `migrate` that throws, lists that
// become longer, large items, names and texts that nobody can hold, and more streams than a pull may name. Method: the package's own
// clients on memory hosts, against the real server.

import {
  defineMutators,
  type Entry,
  http,
  open,
  type ReducedStreamOptions,
  schema,
  t,
  table,
  ValidationError,
} from 'skerry';
import { fetchTransport, type MemoryHost, memory } from 'skerry/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { append } from './support/appending.ts';
import { SharedServer } from './support/shared-server.ts';

const app = schema({ notes: table({ title: t.string() }) }, { version: 1 });
const mutators = defineMutators(app, {
  said: (tx, { text }: { text: string }) => tx.notes.create({ title: text }),
});
const server = new SharedServer({
  schema: app,
  args: ['--dev', '--actions-per-snapshot', '10'],
  // What its state is cannot be written.
  exports: `export const reducers = { cut: {
    initialState: '', reducer: (_, { text }) => text.slice(0, 7),
  } };`,
});
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

let people = 0;
const newUser = () => `stranger-${++people}`;
const newHost = () =>
  memory({
    workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
    transport: fetchTransport,
  });

async function connect(user: string, host: MemoryHost = newHost()) {
  const db = await open({
    ...{ name: 'strange', schema: app, mutators, host, user, scopes: 'all' as const },
    remote: http(`${server.url}/v1`, { token: async () => `dev:${user}` }),
  });
  opened.push(db);
  return db;
}
type Db = Awaited<ReturnType<typeof connect>>;

async function settled(db: Db): Promise<void> {
  await expect
    .poll(async () => {
      await db.sync.now().catch(() => {});
      return db.sync.status.pending;
    })
    .toBe(0);
}
const whole = (stream: { readonly whole: boolean }) => expect.poll(() => stream.whole).toBe(true);

interface Added {
  readonly add: number;
}
interface Sum {
  readonly sum: number;
  readonly count: number;
}
/** One that gives other states in each version. */
const release = (version: number): ReducedStreamOptions<Sum, Added> => ({
  reducer: ({ sum, count }, { add }) => ({ sum: sum + add * version, count: count + 1 }),
  initialState: { sum: 0, count: 0 },
  version,
});

/** More actions than a state is stored after, in several updates. */
async function add(
  db: Db,
  version: number,
  more: Partial<ReducedStreamOptions<Sum, Added>> = {},
): Promise<void> {
  const stream = db.stream<Sum, Added>('ledger', { ...release(version), ...more });
  await whole(stream);
  for (let i = 1; i <= 210; i++) {
    stream.dispatch({ add: 1 });
    if (i % 50 === 0) await settled(db);
  }
  await settled(db);
}

/** Whether the device has stored a state of this version that has so many actions. */
const stored = (host: MemoryHost, user: string, version: number, count: number) =>
  expect
    .poll(async () => {
      const storage = await host.storage.open(`skerry/strange/${user}`, () => {});
      let found: readonly unknown[] = [];
      await storage.transact(
        { stores: ['streams'], mode: 'readonly', reads: [{ store: 'streams', range: {} }] },
        ([rows]) => {
          found = rows as readonly unknown[];
          return { type: 'write', writes: [] };
        },
      );
      storage.close();
      return JSON.stringify(found);
    })
    .toMatch(new RegExp(`"reducer":${version}[^}]*count[^}]*:${count}\\b`));

describe('a reducer', () => {
  test.each([
    [[2, 1, 3], 2],
    [[3, 1, 2], 3],
  ])('has all actions after releases %j, and then %i again', async (before, last) => {
    const user = newUser();
    const host = newHost();
    let count = 0;
    for (const version of before) {
      const db = await connect(user, host);
      await add(db, version);
      count += 210;
      await stored(host, user, version, count);
      await db.close();
    }
    const db = await connect(user, host);
    const stream = db.stream('ledger', release(last));
    await whole(stream);
    expect(stream.value).toEqual({ sum: count * last, count });
  });

  test('whose migrate throws folds all actions, and says so', async () => {
    const user = newUser();
    const host = newHost();
    const one = await connect(user, host);
    await add(one, 1);
    await stored(host, user, 1, 210);
    await one.close();
    const migrate = () => {
      throw new Error('not that one');
    };
    const two = await connect(user, host);
    const stream = two.stream('ledger', { ...release(2), migrate });
    const wrong: unknown[] = [];
    stream.subscribe((sum) => {
      if (stream.whole && sum.count < 210) wrong.push(sum);
    });
    await whole(stream);
    expect(stream.value).toEqual({ sum: 420, count: 210 });
    expect(two.problems.value.map(({ message }) => message)).toEqual(['migrate: not that one']);
    await add(two, 2, { migrate });
    await stored(host, user, 2, 420);
    await two.close();
    // The next release begins from what that one has stored.
    const three = await connect(user, host);
    const mended = three.stream('ledger', release(2));
    await whole(mended);
    expect(mended.value).toEqual({ sum: 840, count: 420 });
    expect(wrong).toEqual([]);
  });
});

describe('a list', () => {
  test('becomes longer with a release that keeps more, up to thousands', async () => {
    const user = newUser();
    const writer = server.client(user);
    for (let i = 0; i < 3; i++)
      await append(writer, `user:${user}`, 'chat', ...Array.from({ length: 500 }, () => 'line'));
    const host = newHost();
    for (const keep of [5, 20, 1_300]) {
      const db = await connect(user, host);
      const chat = db.stream('chat', { keep });
      await expect.poll(() => chat.value.length).toBe(keep);
      await whole(chat);
      await db.close();
    }
  });

  test('gives as many items as a page asks for, however large they are', async () => {
    const user = newUser();
    const writer = server.client(user);
    for (let i = 0; i < 24; i++)
      await append(writer, `user:${user}`, 'scans', { at: i, scan: 'x'.repeat(200_000) });
    const db = await connect(user);
    const scans = db.stream<{ at: number }>('scans', { keep: 2 });
    await whole(scans);
    const page = await scans.page({ limit: 20 });
    expect(page.map(({ at }) => at)).toEqual(Array.from({ length: 20 }, (_, i) => i + 4));
    const [first] = page;
    expect((await scans.page({ before: first, limit: 20 })).map(({ at }) => at)).toEqual([
      0, 1, 2, 3,
    ]);
    // Of this stream, and no other object that looks like one.
    await expect(scans.page({ before: { at: 3, place: [1, 0] } as never })).rejects.toThrow(
      ValidationError,
    );
  });
});

test('text cut in the middle of a character is refused, and holds nothing up', async () => {
  const user = newUser();
  const db = await connect(user);
  const half = 'hello 😀'.slice(0, 7);
  const sum = db.stream('sum', { reducer: (n: number) => n + 1, initialState: 0 });
  expect(() => db.stream('chat').append({ text: half })).toThrow(ValidationError);
  expect(() => db.stream('chat').append({ [half]: 1 })).toThrow(ValidationError);
  expect(() => db.stream('chat').append({ text: 'a\0b' })).toThrow(ValidationError);
  expect(() => sum.dispatch(half as never)).toThrow(ValidationError);
  expect(() => db.mutate.said({ text: half })).toThrow(ValidationError);
  expect(() => db.stream('chat', null as never)).not.toThrow();
  db.mutate.said({ text: 'whole 😀' });
  await settled(db);
  expect(db.conflicts.all()).toEqual([]);
  // Nor does a server hand out a state that cannot be read.
  const writer = server.client(user);
  const texts = Array.from({ length: 12 }, () => ({ text: 'hello 😀' }));
  await append(writer, `user:${user}`, 'cut', ...texts);
  await expect.poll(() => server.output()).toContain('half of a surrogate pair');
  const cut = db.stream<string, { text: string }>('cut', {
    reducer: (_, { text }) => text.slice(0, 7),
    initialState: '',
  });
  await whole(cut);
  expect(cut.value).toBe(half);
  await settled(db);
});

test('more streams than a pull may name are reported; the others are synchronised', async () => {
  const user = newUser();
  const host = newHost();
  const db = await connect(user, host);
  for (let i = 0; i < 100; i++) db.stream(`doc/${i}`);
  await settled(db);
  const late = db.stream('doc/late');
  await expect.poll(() => db.sync.status.error?.message).toMatch('doc/late find no room');
  db.stream('doc/7').append('still there');
  await settled(db);
  expect(late.whole).toBe(false);
  expect(db.sync.status.error?.code).toBe('limit');
  expect(db.sync.status.phase).toBe('idle');
  // Streams that are wanted by the option, too.
  for (const streams of [['x'.repeat(129)], ['a\0b'], ['\ud800'], ['']])
    await expect(
      open({ name: 'strange', schema: app, host, user, streams } as never),
    ).rejects.toThrow(ValidationError);
});

test('entries of a stream can be replayed, each once, at its own time', async () => {
  const user = newUser();
  const db = await connect(user);
  const chat = db.stream<{ type: string; text: string }>('chat');
  chat.append({ type: 'said', text: 'ahoy' });
  await settled(db);
  await whole(chat);
  const entries = chat.entries as readonly Entry<{ type: string; text: string }>[];
  const other = await connect(newUser());
  const { mutations, leftOut } = other.replay(entries);
  expect([mutations.length, leftOut]).toEqual([1, []]);
  expect(other.notes.all().map(({ title }) => title)).toEqual(['ahoy']);
  await settled(other);
  other.replay(entries);
  await settled(other);
  expect(other.notes.count()).toBe(1);
  for (const at of [Number.POSITIVE_INFINITY, 9e15, Number.NaN, '5', true])
    expect(() => other.replay([{ id: crypto.randomUUID(), name: 'said', at } as never])).toThrow(
      ValidationError,
    );
  expect(() => other.replay(null as never)).toThrow(ValidationError);
});
