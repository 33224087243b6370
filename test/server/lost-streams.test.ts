// Goal: what people have appended to streams, and a restored server has lost, is there again: each action once, under its own id, in
// the order of its author, and before what is pending; or in the inbox. Method: the package's own clients, on memory hosts,
// against the real server, whose database is really set back.
import { http, open, schema, t, table } from 'skerry';
import { memory } from 'skerry/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RestorableServer } from './support/restorable.ts';

const app = schema({ notes: table({ title: t.string() }) }, { version: 1 });
const realm = 'public';
interface Said {
  readonly type: 'said';
  readonly text: string;
}
interface Scored {
  readonly points: number;
}

async function connect(user: string) {
  const db = await open({
    name: 'lost-streams',
    schema: app,
    host: memory({
      workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
      transport: server.transport,
    }),
    user,
    scopes: 'all',
    remote: http('http://restored/v1', { token: async () => `dev:${user}` }),
  });
  opened.push(db);
  const chat = db.stream<Said>('chat', { realm });
  const score = db.stream<readonly number[], Scored>('score', {
    reducer: (all, { points }) => [...all, points],
    initialState: [],
    realm,
  });
  const texts = () => chat.value.map((item) => item?.text);
  const say = (text: string) => chat.append({ type: 'said', text });
  await db.sync.now();
  return { db, chat, score, texts, say };
}
type Client = Awaited<ReturnType<typeof connect>>;

let server: RestorableServer;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  server = new RestorableServer(app);
  await server.start();
});
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
  await server.remove();
});

async function caughtUp(...clients: Client[]): Promise<void> {
  for (const { db } of clients) {
    await db.sync.now();
    await db.sync.waitForSync({ timeoutMs: 20_000 });
    await expect.poll(() => [db.sync.status.lost, db.sync.status.pending]).toEqual([[], 0]);
    await db.sync.now();
  }
}

/** It has heard that the server was restored, and shows these. */
const shows = (client: Client, texts: readonly string[]) =>
  expect
    .poll(async () => {
      await client.db.sync.now().catch(() => {});
      return client.texts();
    })
    .toEqual(texts);

test('what was appended is appended again, once, and before what is pending', async () => {
  const [anna, bo] = [await connect('anna'), await connect('bo')];
  anna.say('before');
  anna.score.dispatch({ points: 1 });
  await caughtUp(anna, bo);
  const restore = await server.backUp();
  for (const points of [10, 20, 30]) {
    anna.say(`anna ${points}`);
    anna.score.dispatch({ points });
    await caughtUp(anna);
  }
  bo.say('bo');
  bo.score.dispatch({ points: 5 });
  await caughtUp(bo, anna);
  const ids = anna.chat.entries.map(({ id }) => id).sort();
  anna.db.sync.pause();
  anna.say('pending');
  anna.score.dispatch({ points: 40 });
  await restore();
  await shows(bo, ['before', 'bo']);
  await caughtUp(bo);
  await expect.poll(() => bo.score.value).toEqual([1, 5]);
  anna.db.sync.resume();
  await caughtUp(anna, bo);
  const all = ['before', 'bo', 'anna 10', 'anna 20', 'anna 30', 'pending'];
  const newcomer = await connect('cy');
  await caughtUp(newcomer, anna, bo);
  for (const client of [anna, bo, newcomer]) {
    await expect.poll(client.texts).toEqual(all);
    await expect.poll(() => client.score.value).toEqual([1, 5, 10, 20, 30, 40]);
    expect(client.db.conflicts.all()).toEqual([]);
  }
  const entries = () => anna.chat.entries.map(({ author, value }) => `${author}: ${value?.text}`);
  const idsOf = () => anna.chat.entries.map(({ id }) => id).sort();
  const pending = anna.chat.entries.at(-1)?.id;
  expect(idsOf()).toEqual([...ids, pending].sort());
  expect(entries().slice(0, 3)).toEqual(['anna: before', 'bo: bo', 'anna: anna 10']);
  // It is lost once more.
  bo.db.sync.pause();
  await restore();
  await shows(anna, ['before', 'anna 10', 'anna 20', 'anna 30', 'pending']);
  bo.db.sync.resume();
  await caughtUp(anna, bo);
  await caughtUp(newcomer, anna);
  const last = ['before', 'anna 10', 'anna 20', 'anna 30', 'pending', 'bo'];
  for (const client of [anna, bo, newcomer]) {
    await expect.poll(client.texts).toEqual(last);
    await expect.poll(() => client.score.value).toEqual([1, 10, 20, 30, 40, 5]);
    expect(client.db.conflicts.all()).toEqual([]);
  }
  expect(idsOf()).toEqual([...ids, pending].sort());
});

test('a server that takes nothing back leaves what was appended to the inbox', async () => {
  const restore = await server.backUp();
  const anna = await connect('anna');
  anna.say('lost');
  anna.score.dispatch({ points: 1 });
  await caughtUp(anna);
  await restore();
  await caughtUp(anna);
  await expect
    .poll(() => anna.db.conflicts.all().map(({ code }) => code))
    .toEqual(['history_lost', 'history_lost']);
  await expect.poll(anna.texts).toEqual([]);
  // A retry appends it again.
  for (const entry of anna.db.conflicts.all()) await anna.db.conflicts.resolve(entry.id, 'retry');
  await caughtUp(anna);
  await expect.poll(anna.texts).toEqual(['lost']);
  await expect.poll(() => anna.score.value).toEqual([1]);
});
