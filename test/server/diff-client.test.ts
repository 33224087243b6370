// Goal: what somebody has written past the log (a hand in the database, triggers disabled) reaches clients by a comparison, whatever it
// is; nothing else is touched, and the operator is told. Method: the package's own client on a memory host, the real server on both
// databases, and SQL with the triggers off.
import { http, open, schema, t, table } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ForeignWorld } from './support/foreign-world.ts';
import { type Json, uuid7 } from './support/server.ts';

const app = schema(
  {
    tasks: table({
      title: t.string(),
      size: t.number().optional(),
      done: t.boolean().default(false),
      due: t.date().optional(),
      extra: t.json().optional(),
      list: t.ref('lists').optional(),
    }),
    lists: table({ name: t.string(), shown: t.boolean().default(true) }),
  },
  { version: 1 },
);

let world: ForeignWorld;
beforeEach(async () => {
  world = await ForeignWorld.open(JSON.parse(JSON.stringify(app)));
});
afterEach(() => world.close());

type Db = Awaited<ReturnType<typeof openDb>>;

const openDb = (scopes: Parameters<typeof open>[0]['scopes'] = 'all') =>
  open({
    name: 'diff',
    schema: app,
    host: memory({
      workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
      transport: fetchTransport,
    }),
    user: 'ada',
    defaultRealm: 'public',
    scopes: scopes as 'all',
    remote: http(`${world.server.url}/v1`, { token: async () => 'dev:ada' }),
  });

/** Written as if by a restored dump: nothing is logged. */
const past = (...statements: string[]) =>
  world.write('set local session_replication_role = replica', ...statements);

const rowsOf = (db: Db) =>
  new Map(
    db.tasks
      .all()
      .map(
        (row) => [row.id, [row.title, row.size, row.done, row.due?.getTime(), row.extra]] as const,
      ),
  );

async function diff(body: Json): Promise<{ status: number; said: Json }> {
  const response = await fetch(`${world.server.url}/v1/diff`, {
    method: 'POST',
    headers: { authorization: 'Bearer dev:ada', 'content-type': 'application/json' },
    body: JSON.stringify({ client: uuid7(), schema: 1, cursors: {}, scopes: [], ...body }),
  });
  return { status: response.status, said: (await response.json()) as Json };
}

async function health(): Promise<Json> {
  return (await (await fetch(`${world.server.url}/v1/health`)).json()) as Json;
}

async function metrics(): Promise<string> {
  return (await fetch(`${world.server.url}/v1/metrics`)).text();
}

const put = (id: string, set: Json, realm = 'public') => ({
  op: 'create',
  table: 'tasks',
  id,
  realm,
  set,
});

const kMore = '00000000-0000-7000-8000-000000000001';
const ids = Array.from({ length: 9 }, () => uuid7()).sort();
const [first = '', second = '', third = ''] = ids;

async function filled(db: Db, count = ids.length): Promise<void> {
  await expect.poll(() => db.tasks.count()).toBe(count);
}

/** Each is one statement, and the ids that a comparison then mends; one after the other, on the same rows. */
const planted: [string, string, readonly string[]][] = [
  ['a text', `update tasks set title = 'other' where id = '${second}'`, [second]],
  ['a number, to null', `update tasks set size = null where id = '${second}'`, [second]],
  [
    'a date',
    `update tasks set due = date_trunc('milliseconds', now()) where id = '${second}'`,
    [second],
  ],
  ['JSON', `update tasks set extra = '{"b": 1, "a": 2}' where id = '${second}'`, [second]],
  [
    'a time',
    `update tasks set modified_at = modified_at + interval '1 ms' where id = '${third}'`,
    [third],
  ],
  ['all rows', `update tasks set done = true where realm = 'public'`, ids],
  [
    'a row more',
    `insert into tasks (id, realm, title, created_at, modified_at, revision)
     values ('${kMore}', 'public', 'new', date_trunc('milliseconds', now()), date_trunc('milliseconds', now()), 1)`,
    [kMore],
  ],
  ['another realm', `update tasks set realm = 'user:ada' where id = '${third}'`, [third, third]],
  ['a row that is gone', `delete from tasks where id = '${first}'`, [first]],
];

test('whatever was changed past the log is found and mended', async () => {
  await world.client().push(ids.map((id, i) => put(id, { title: `t${i}`, size: i, extra: [i] })));
  await world.client().push([put(uuid7(), { title: 'own' }, 'user:ada')]);
  const db = await openDb();
  const heard: string[] = [];
  db.on('mended', ({ rows }) => heard.push(...rows.map(({ id }) => id)));
  try {
    await filled(db, ids.length + 1);
    const same = await db.sync.verify();
    expect(same).toMatchObject({ mended: [], skipped: 0, unmended: 0 });
    expect(same.checked).toBeGreaterThan(ids.length);
    let all = 0;
    for (const [what, sql, mends] of planted) {
      const before = rowsOf(db);
      await past(sql);
      await db.sync.now();
      expect(rowsOf(db), what).toEqual(before);
      const { mended } = await db.sync.verify();
      expect(mended.map(({ id }) => id).sort(), what).toEqual([...mends].sort());
      all += mends.length;
      expect(heard, what).toHaveLength(all);
      expect(db.sync.status.mended, what).toBe(all);
      expect(await health(), what).toMatchObject({ mended: all });
      const fresh = await openDb();
      try {
        await filled(fresh, db.tasks.count());
        expect(rowsOf(db), what).toEqual(rowsOf(fresh));
      } finally {
        await fresh.close();
      }
    }
    expect(await db.sync.verify()).toMatchObject({ mended: [] });
    expect(await metrics()).toContain(`skerry_mended_rows_total ${all}`);
  } finally {
    await db.close();
  }
});

test('scopes bound what is compared, with sub-selects and while others write', async () => {
  const [open1 = '', shut = ''] = [uuid7(), uuid7()];
  const client = world.client();
  await client.push([
    { op: 'create', table: 'lists', id: open1, realm: 'public', set: { name: 'a', shown: true } },
    { op: 'create', table: 'lists', id: shut, realm: 'public', set: { name: 'b', shown: false } },
    ...ids.map((id, i) => put(id, { title: `t${i}`, list: i % 2 === 0 ? open1 : shut })),
  ]);
  const db = await openDb(((q: { tasks: Db['tasks']; lists: Db['lists'] }) => [
    q.lists.where('shown', '=', true),
    q.tasks.where((b) => b.related('list', (list) => list.where('shown', '=', true))),
  ]) as never);
  try {
    await filled(db, 5);
    expect(await db.sync.verify()).toMatchObject({ mended: [], skipped: 0 });
    await past(`update tasks set title = 'other' where id in ('${first}', '${second}')`);
    expect((await db.sync.verify()).mended).toEqual([
      { table: 'tasks', id: first, realm: 'public' },
    ]);
    await past(`update lists set shown = true where id = '${shut}'`);
    // The list comes by a comparison; and with it, because its tasks are in scope now, these.
    const { mended } = await db.sync.verify();
    expect(mended).toHaveLength(5);
    expect(db.tasks.count()).toBe(9);
  } finally {
    await db.close();
  }
});

test('pending changes stay, and are pushed before', async () => {
  await world.client().push(ids.map((id, i) => put(id, { title: `t${i}` })));
  const db = await openDb();
  try {
    await filled(db);
    await past(`update tasks set title = 'other' where id = '${first}'`);
    db.sync.pause();
    db.transact((tx) => tx.tasks.update(second, { title: 'mine' }));
    db.sync.resume();
    const { mended } = await db.sync.verify();
    expect(mended.map(({ id }) => id)).toEqual([first]);
    await db.sync.waitForSync();
    expect(db.tasks.get(second)?.title).toBe('mine');
    expect(db.tasks.get(first)?.title).toBe('other');
  } finally {
    await db.close();
  }
});

test('a realm that may not be read, and one of another history, are not compared', async () => {
  await world.client().push([put(first, { title: 'x' })]);
  await world.client('eve').push([put(second, { title: 'secret' }, 'user:eve')]);
  const ask = async (cursors: Json, realm: string) => {
    const { said } = await diff({
      cursors,
      scopes: [{ table: 'tasks', where: ['true'], filled: true }],
      tables: [{ realm, table: 'tasks', props: ['title'], above: '', count: 0, rows: [] }],
    });
    return said;
  };
  const heads = await world.server.sql.query<{ realm: string; cursor: string }>(
    `select realm, head || '@' || at as cursor from skerry.realm`,
  );
  const cursors = Object.fromEntries(heads.map(({ realm, cursor }) => [realm, cursor]));
  const again = { tables: [{ again: true }] };
  expect(await ask(cursors, 'user:eve')).toMatchObject(again);
  expect(await ask({ public: '1@1' }, 'public')).toMatchObject(again);
  expect(await ask({}, 'public')).toMatchObject(again);
  expect(await ask(cursors, 'public')).toMatchObject({
    tables: [{ absent: [], changes: [{ change: 'create', id: first, set: { title: 'x' } }] }],
  });
});

/** The body, and what is said of it. */
const sums = Array.from({ length: 256 }, () => '0');
const part = { realm: 'public', table: 'tasks', props: ['title'], above: '', count: 0, sums };
const refusals: [string, Json, number, RegExp][] = [
  ['no parts', { tables: {} }, 400, /`tables`/],
  ['a part without a realm', { tables: [{ ...part, realm: '' }] }, 400, /no realm/],
  ['sums of 255', { tables: [{ ...part, sums: sums.slice(1) }] }, 400, /256 `sums`/],
  ['sums of 257', { tables: [{ ...part, sums: ['0', ...sums] }] }, 422, /too long/],
  ['a sum that is none', { tables: [{ ...part, sums: ['x', ...sums.slice(1)] }] }, 400, /`sums`/],
  ['a bucket too high', { tables: [{ ...part, rows: [], buckets: [256] }] }, 400, /`buckets`/],
  ['a count below 0', { tables: [{ ...part, count: -1 }] }, 400, /`count`/],
  ['an id of 129 bytes', { tables: [{ ...part, above: 'x'.repeat(129) }] }, 400, /`above`/],
  ['201 parts', { tables: Array.from({ length: 201 }, () => part) }, 422, /200 parts/],
  ['a schema that is too new', { schema: 2, tables: [] }, 409, /version is 1/],
];

test('what is no comparison is refused, with a sentence', async () => {
  for (const [what, body, status, detail] of refusals) {
    const { status: got, said } = await diff(body);
    expect([got, said.detail], what).toEqual([status, expect.stringMatching(detail)]);
  }
});

test('200 parts, ids of 128 bytes and props that nobody knows are answered', async () => {
  const { said } = await diff({
    tables: Array.from({ length: 200 }, () => ({ ...part, upto: 'x'.repeat(128) })),
  });
  expect(said.tables).toHaveLength(200);
});
