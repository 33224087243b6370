// Goal: what becomes of a user's changes does not depend on how they were grouped, and what did not take effect is in the
// inbox. Method: the package's own clients on memory hosts, which write offline, against a real server.

import { ConflictError, http, open, schema, t, table } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { SharedServer } from './support/shared-server.ts';

const app = schema(
  {
    people: table({
      mail: t.string().optional().index({ unique: true }),
      note: t.string().default(''),
    }),
    lists: table({ name: t.string() }),
    todos: table({
      list: t.ref('lists', { onDelete: 'cascade' }).optional(),
      text: t.string(),
      n: t.number().default(0),
    }),
  },
  { version: 1 },
);
type Device = Awaited<ReturnType<typeof device>>;

const server = new SharedServer({ schema: app, args: ['--dev'] });
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

let people = 0;

/** A device of the user, which can lose the answers of its pushes. */
async function device(user: string) {
  const network = { isOnline: true, losesAnswers: false, pushes: 0 };
  const db = await open({
    ...{ name: 'verdicts', schema: app, user, scopes: 'all' },
    host: memory({
      workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
      transport: {
        request: async (request) => {
          if (!network.isOnline) throw new Error('offline');
          const { pathname, search } = new URL(request.url);
          const url = server.url + pathname + search;
          const answer = await fetchTransport.request({ ...request, url });
          if (!pathname.endsWith('/push')) return answer;
          network.pushes++;
          if (!network.losesAnswers) return answer;
          network.losesAnswers = false;
          throw new Error('the answer is lost');
        },
      },
    }),
    remote: http('http://verdicts.test/v1', { token: async () => `dev:${user}` }),
  });
  opened.push(db);
  await db.sync.waitForSync();
  return { db, network };
}

async function two() {
  const user = `verdicts-${++people}`;
  return [await device(user), await device(user)] as const;
}

/** Everything is pushed, and seen back. */
async function settle({ db }: Pick<Device, 'db'>) {
  await db.sync.now();
  await expect.poll(() => db.sync.status.pending).toBe(0);
  await db.sync.now();
}

const inbox = ({ db }: Pick<Device, 'db'>) =>
  db.conflicts.all().map(({ code, reason, mine }) => ({ code, reason, mine }));
const mails = ({ db }: Pick<Device, 'db'>) => db.people.all().map(({ mail, note }) => [mail, note]);

describe('a unique value', () => {
  test('that another device took first: only the changes that want it are refused', async () => {
    const [anna, ben] = await two();
    ben.network.isOnline = false;
    await ben.db.transact((tx) => tx.people.create({ mail: 'before@x', note: 'b' })).durable;
    await ben.db.transact((tx) => tx.people.create({ mail: 'taken@x', note: 'b' })).durable;
    await ben.db.transact((tx) => tx.people.create({ mail: 'after@x', note: 'b' })).durable;
    await anna.db.transact((tx) => tx.people.create({ mail: 'taken@x', note: 'a' })).confirmed;
    ben.network.isOnline = true;
    await settle(ben);
    expect(inbox(ben)).toEqual([
      { code: 'unique', reason: 'rejected', mine: expect.objectContaining({ mail: 'taken@x' }) },
    ]);
    await anna.db.sync.now();
    for (const each of [anna, ben])
      expect(mails(each).sort()).toEqual([
        ['after@x', 'b'],
        ['before@x', 'b'],
        ['taken@x', 'a'],
      ]);
    // As long as the device sees the other row, a retry is refused at once, and the entry stays.
    const [entry] = ben.db.conflicts.all();
    await expect(ben.db.conflicts.resolve(entry?.id ?? 0, 'retry')).rejects.toMatchObject({
      name: 'ConflictError',
      code: 'unique',
    });
    expect(ben.db.conflicts.all()).toHaveLength(1);
    await ben.db.transact((tx) =>
      tx.people.updateWhere(tx.people.where('note', '=', 'a'), { mail: null }),
    ).confirmed;
    await ben.db.conflicts.resolve(entry?.id ?? 0, 'retry');
    await settle(ben);
    expect(inbox(ben)).toEqual([]);
    expect(mails(ben)).toContainEqual(['taken@x', 'b']);
  });

  test('that this device sees: refused at once, by whatever writes it', async () => {
    const { db } = await device(`verdicts-${++people}`);
    db.sync.pause();
    const first = db.transact((tx) => tx.people.create({ mail: 'a@x', note: '1' })).result;
    const second = db.transact((tx) => tx.people.create({ mail: 'b@x', note: '2' })).result;
    const before = mails({ db });
    const refused = (write: () => unknown) => {
      let error: unknown;
      try {
        write();
      } catch (caught) {
        error = caught;
      }
      expect(error).toBeInstanceOf(ConflictError);
      expect(error).toMatchObject({ code: 'unique' });
      expect((error as Error).message).toBe(
        'people.mail: another object of the realm has this value',
      );
      expect(mails({ db })).toEqual(before);
    };
    refused(() => db.transact((tx) => tx.people.create({ mail: 'a@x' })));
    refused(() => db.transact((tx) => tx.people.createMany([{ mail: 'c@x' }, { mail: 'c@x' }])));
    refused(() => db.transact((tx) => tx.people.update(second, { mail: 'a@x' })));
    refused(() => db.transact((tx) => tx.people.upsert({ id: second, mail: 'a@x' })));
    refused(() =>
      db.transact((tx) =>
        tx.people.updateWhere(tx.people.where('note', '=', '2'), { mail: 'a@x' }),
      ),
    );
    // After the transaction: two may exchange their values, and null is free.
    db.transact((tx) => {
      tx.people.update(first, { mail: 'b@x' });
      tx.people.update(second, { mail: 'a@x' });
    });
    db.transact((tx) => tx.people.createMany([{ note: '3' }, { note: '4' }]));
    db.transact((tx) => {
      tx.people.delete(first);
      tx.people.create({ mail: 'b@x', note: '5' });
    });
    db.sync.resume();
    await settle({ db });
    expect(inbox({ db })).toEqual([]);
    expect(mails({ db })).toHaveLength(4);
  });
});

describe('an edit of a row that was deleted meanwhile', () => {
  /** Ben has edited two todos offline in one transaction; Anna has deleted one of them. */
  async function edited() {
    const [anna, ben] = await two();
    const [gone, kept] = anna.db.transact((tx) => [
      tx.todos.create({ text: 'gone' }),
      tx.todos.create({ text: 'kept' }),
    ]).result as [string, string];
    await settle(anna);
    await settle(ben);
    ben.network.isOnline = false;
    const edit = ben.db.transact((tx) => {
      tx.todos.update(gone, { text: 'three hours of work' });
      tx.todos.update(kept, { text: 'kept, and edited' });
    });
    await edit.durable;
    await anna.db.transact((tx) => tx.todos.delete(gone)).confirmed;
    return { anna, ben, gone, kept, edit };
  }
  const entry = {
    code: 'row_deleted',
    reason: 'row_deleted',
    mine: expect.objectContaining({ text: 'three hours of work' }),
  };

  test('is in the inbox with its content, once, and the rest takes effect', async () => {
    const { ben, gone, kept, edit } = await edited();
    ben.network.isOnline = true;
    await settle(ben);
    await edit.confirmed;
    expect(inbox(ben)).toEqual([entry]);
    expect(ben.db.conflicts.all()[0]).toMatchObject({ table: 'todos', key: gone, theirs: null });
    expect(ben.db.todos.get(kept)?.text).toBe('kept, and edited');
    expect(ben.db.todos.get(gone)).toBeUndefined();
    // A retry makes the same edit, under an action of its own: it comes back.
    const [first] = ben.db.conflicts.all();
    await ben.db.conflicts.resolve(first?.id ?? 0, 'retry');
    await settle(ben);
    await expect.poll(() => inbox(ben)).toEqual([entry]);
    expect(ben.db.conflicts.all()[0]?.mutation?.id).not.toBe(first?.mutation?.id);
  });

  test('is in the inbox also if the answer to the push is lost', async () => {
    const { ben, edit } = await edited();
    ben.network.losesAnswers = true;
    ben.network.isOnline = true;
    await expect(settle(ben)).rejects.toMatchObject({ code: 'network' });
    await settle(ben);
    await edit.confirmed;
    expect(ben.network.losesAnswers).toBe(false);
    await expect.poll(() => inbox(ben)).toEqual([entry]);
  });

  test('by its parent, by inc: is reported per action; not if it was deleted here, too', async () => {
    const [anna, ben] = await two();
    const list = anna.db.transact((tx) => tx.lists.create({ name: 'l' })).result;
    const [a, b, c] = anna.db.transact((tx) =>
      ['a', 'b', 'c'].map((text) => tx.todos.create({ text, list })),
    ).result as [string, string, string];
    await settle(anna);
    await settle(ben);
    ben.network.isOnline = false;
    await ben.db.transact((tx) => {
      tx.todos.inc(a, { n: 2 });
      tx.todos.update(a, { text: 'edited' });
      tx.todos.inc(a, { n: 3 });
    }).durable;
    await ben.db.transact((tx) => tx.todos.inc(a, { n: 4 })).durable;
    await ben.db.transact((tx) => tx.todos.delete(b)).durable;
    await ben.db.transact((tx) => tx.todos.update(c, { text: 'edited' })).durable;
    await ben.db.transact((tx) => tx.todos.delete(c)).durable;
    await anna.db.transact((tx) => tx.lists.delete(list)).confirmed;
    ben.network.isOnline = true;
    await settle(ben);
    const told = () => ben.db.conflicts.all().map(({ code, key, mine }) => ({ code, key, mine }));
    const lost = [
      { code: 'row_deleted', key: a, mine: { n: 5, text: 'edited' } },
      { code: 'row_deleted', key: a, mine: { n: 4 } },
    ];
    // The sum with what the first had made of it.
    expect(told()).toEqual([lost[0], { ...lost[1], mine: { n: 9 } }]);
    // A retry of one makes both again, in their order, and both come back: there is no row to add to.
    const [first] = ben.db.conflicts.all();
    await ben.db.conflicts.resolve(first?.id ?? 0, 'retry');
    await settle(ben);
    await expect.poll(told).toEqual(lost);
  });
});
