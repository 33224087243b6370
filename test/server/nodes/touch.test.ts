// Goal: the `modifiedAt` of a row follows that of the rows whose ref touches it: their creation, changes, moves to another
// row and deletion, transitively, and is the same in SQL, over HTTP and on other devices, whose live queries by it change their
// order. Method: a real node on PostgreSQL; the package's own clients on memory hosts.
import { http, open, schema, t, table } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { afterAll, afterEach, expect, test } from 'vitest';
import { Nodes } from '../support/nodes.ts';
import { post } from '../support/server.ts';

const app = schema(
  {
    boards: table({ name: t.string() }),
    lists: table({
      name: t.string(),
      board: t.ref('boards', { onDelete: 'cascade', touch: true }),
    }),
    cards: table({ text: t.string(), list: t.ref('lists', { onDelete: 'cascade', touch: true }) }),
    /** Beside them: its ref touches nothing. */
    stars: table({ board: t.ref('boards', { onDelete: 'cascade' }) }),
  },
  { version: 1 },
);
const nodes = new Nodes(undefined, app);
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});
afterAll(() => nodes.remove());

async function connect(url: string) {
  const db = await open({
    name: 'touch',
    schema: app,
    host: memory({ workerTimes: { retry: 20, retryMax: 40 }, transport: fetchTransport }),
    user: 'anna',
    scopes: 'all',
    remote: http(`${url}/v1`, { token: async () => 'dev:anna' }),
  });
  opened.push(db);
  return db;
}
type Db = Awaited<ReturnType<typeof connect>>;

async function scene() {
  const { url } = await nodes.start(0);
  const [mine, theirs] = [await connect(url), await connect(url)];
  const made = mine.transact((tx) => {
    const board = (name: string) => tx.boards.create({ name });
    const [first, second] = [board('first'), board('second')];
    const list = (on: string) => tx.lists.create({ name: 'list', board: on });
    return { first, second, one: list(first), two: list(second) };
  });
  await made.confirmed;
  await theirs.sync.now();
  return { url, mine, theirs, ...made.result };
}

const overHttp = async (url: string, name: string): Promise<Map<string, number>> => {
  const { body } = await post(url, `/v1/tables/${name}`, {}, { authorization: 'Bearer dev:anna' });
  const rows = body.rows as { id: string; modifiedAt: number }[];
  return new Map(rows.map(({ id, modifiedAt }) => [id, modifiedAt]));
};
const overSql = async (name: string): Promise<Map<string, number>> => {
  const rows = await nodes.sql(
    `select id::text as id, round(extract(epoch from modified_at) * 1000)::text as at from public.${name}`,
  );
  return new Map(rows.map(({ id, at }) => [String(id), Number(at)]));
};
const onDevice = (db: Db, name: 'boards' | 'lists') =>
  new Map(db[name].all().map(({ id, modifiedAt }) => [id, modifiedAt.getTime()]));

test('a master is as new as its newest detail: SQL, HTTP, another device', async () => {
  const { url, mine, theirs, first, second, one, two } = await scene();
  const order: string[][] = [];
  const boards = theirs.boards.orderBy('modifiedAt', 'desc').live();
  boards.subscribe((rows) => order.push(rows.map(({ name }) => name)));
  let card = '';
  const steps: [string, (tx: Parameters<Parameters<Db['transact']>[0]>[0]) => void, string][] = [
    [
      'a detail of a detail is created',
      (tx) => {
        card = tx.cards.create({ text: 'a', list: one });
      },
      first,
    ],
    ['the other list is changed', (tx) => tx.lists.update(two, { name: 'renamed' }), second],
    ['the detail is changed', (tx) => tx.cards.update(card, { text: 'b' }), first],
    ['the detail goes to the other master', (tx) => tx.cards.update(card, { list: two }), second],
    ['and comes back', (tx) => tx.cards.update(card, { list: one }), first],
    [
      'the other master itself is changed',
      (tx) => tx.boards.update(second, { name: 'the second' }),
      second,
    ],
    ['the detail is deleted', (tx) => tx.cards.delete(card), first],
  ];
  for (const [name, step, newest] of steps) {
    const before = onDevice(mine, 'boards');
    await mine.transact(step).confirmed;
    await theirs.sync.now();
    const [board, list] = [await overSql('boards'), await overSql('lists')];
    expect(board.get(newest), name).toBeGreaterThan(before.get(newest) ?? 0);
    for (const db of [mine, theirs]) {
      expect(onDevice(db, 'boards'), name).toEqual(board);
      expect(onDevice(db, 'lists'), name).toEqual(list);
    }
    expect(await overHttp(url, 'boards'), name).toEqual(board);
    expect(await overHttp(url, 'lists'), name).toEqual(list);
    // A detail that changes its master touches both, at the same time.
    expect(boards.value[0]?.modifiedAt.getTime(), name).toBe(board.get(newest));
    await expect
      .poll(() => order.at(-1), { message: name })
      .toEqual(boards.value.map((row) => row.name));
  }
  // What touches nothing changes nothing.
  const before = await overSql('boards');
  await mine.transact((tx) => tx.stars.create({ board: second })).confirmed;
  expect(await overSql('boards')).toEqual(before);
});
