// Goal: a restore is as docs/guide/operate.md says: its commands back up and restore a real database, and devices give back what its
// table says. Method: the commands as they stand there, and the package's own clients on memory hosts.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { http, open, schema, t, table } from 'skerry';
import { memory } from 'skerry/testing';
import { afterEach, expect, test } from 'vitest';
import { postgresUrl } from './support/database.ts';
import { RestorableServer } from './support/restorable.ts';

const app = schema(
  {
    notes: table({ title: t.string(), done: t.boolean().default(false), n: t.number().default(0) }),
  },
  { version: 1 },
);
const server = new RestorableServer(app);
const opened: Db[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
  await server.remove();
});

const page = readFileSync(join(import.meta.dirname, '../../docs/guide/operate.md'), 'utf8');
/** The commands below this comment. */
function run(name: string): void {
  const [, commands] =
    new RegExp(`\`\`\`sh\\n *# ${name}[^\\n]*\\n([^\`]*)\`\`\``).exec(page) ?? [];
  if (commands === undefined) throw new Error(`The page has no commands: ${name}`);
  execFileSync('bash', ['-ec', commands], {
    env: { ...process.env, ...server.shell },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}
const isFolder = postgresUrl === undefined;

const connect = (name: string, user: string) =>
  open({
    name,
    schema: app,
    user,
    host: memory({
      workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
      transport: server.transport,
    }),
    remote: http('http://restored/v1', { token: async () => `dev:${user}` }),
    scopes: 'all',
  });
type Db = Awaited<ReturnType<typeof connect>>;

async function device(user = 'ada'): Promise<Db> {
  const db = await connect(`restored-${opened.length}`, user);
  opened.push(db);
  await synced(db);
  return db;
}
async function synced(...dbs: Db[]): Promise<void> {
  for (const db of dbs) {
    await db.sync.now();
    await db.sync.waitForSync({ timeoutMs: 20_000 });
  }
}
const shown = (db: Db) =>
  Object.fromEntries(db.notes.all().map(({ title, done, n }) => [title, done ? `done ${n}` : n]));

test('a restore', async () => {
  await server.start();
  const [phone, laptop] = [await device(), await device()];
  const make = (db: Db, title: string) => db.transact((tx) => tx.notes.create({ title })).result;
  const [both = '', deleted = '', counted = ''] = ['both', 'deleted', 'counted'].map((title) =>
    make(phone, title),
  );
  await synced(phone, laptop);
  if (isFolder) await server.stopped(() => run('back up the folder'));
  else run('back up PostgreSQL');

  // After the backup. The laptop has all of it, and the phone a part.
  make(phone, 'made');
  phone.transact((tx) => {
    tx.notes.update(both, { title: 'of phone', n: 1 });
    tx.notes.delete(deleted);
    tx.notes.inc(counted, { n: 5 });
  });
  await synced(phone, laptop);
  phone.sync.pause();
  laptop.transact((tx) => tx.notes.update(both, { title: 'of laptop' }));
  await synced(laptop);
  laptop.sync.pause();
  // Not sent yet.
  phone.transact((tx) => tx.notes.inc(counted, { n: 1 }));

  await server.stopped(() => run(isFolder ? 'restore the folder' : 'restore PostgreSQL'));
  const newcomer = await device();
  expect(shown(newcomer)).toEqual({ both: 0, deleted: 0, counted: 0 });
  newcomer.transact((tx) => tx.notes.update(both, { done: true }));
  await synced(newcomer);

  for (const db of [phone, laptop]) {
    db.sync.resume();
    await synced(db);
  }
  const wanted = { 'of laptop': 'done 1', counted: 6, made: 0 };
  for (const db of [phone, laptop, newcomer]) {
    await synced(db);
    await expect.poll(() => shown(db)).toEqual(wanted);
    expect(db.conflicts.all()).toEqual([]);
  }
  expect([phone, laptop].map((db) => db.sync.status.restored > 0)).toEqual([true, true]);
  expect(newcomer.sync.status.restored).toBe(0);
  expect(server.output()).toContain('This database was restored to an earlier state.');
  const metrics = await fetch(`${server.url}/v1/metrics`).then((response) => response.text());
  expect(metrics).toMatch(/^skerry_restored_rows_total [1-9]/m);
});
