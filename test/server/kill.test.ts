// Goal: acknowledged updates survive the death of the server, and resent ones count once. Method: clients push
// without pause, the process is killed again and again in the middle, every unanswered update is sent again.

import { afterAll, expect, test } from 'vitest';
import { rounds } from '../support/rounds.ts';
import { postgresUrl } from './support/database.ts';
import { Folder, type Json, startServer, WireClient, type WireUpdate } from './support/server.ts';

const kClients = 6;
const kKills = rounds(10, 4);
const folder = new Folder();
const schemaPath = folder.schema();
afterAll(() => folder.remove());

/** Pushes one inc after the other. An unanswered one is sent again, byte for byte, to the next server. */
class Worker {
  readonly client: WireClient;
  acknowledged = 0;
  sent = 0;
  #open: WireUpdate | null = null;
  stopped = false;

  constructor(n: number) {
    this.client = new WireClient('', `user-${n}`);
  }

  async run(url: string, once = false): Promise<void> {
    const client = Object.assign(Object.create(WireClient.prototype), this.client, {
      url,
    }) as WireClient;
    for (;;) {
      if (this.#open === null) {
        if (once || this.stopped) return;
        this.sent++;
        this.#open = client.update([
          { op: 'inc', table: 'cities', id: 'total', realm: 'public', add: { population: 1 } },
          {
            op: 'create',
            table: 'cities',
            id: `${client.user}-${this.sent}`,
            realm: 'public',
            set: { name: 'x' },
          },
        ]);
        this.client.chain = client.chain;
      }
      let results: Json[];
      try {
        const answer = await client.send([this.#open]);
        if (answer.status !== 200) throw new Error(`status ${answer.status}`);
        results = answer.body.results as Json[];
      } catch {
        return; // The server died: the outcome is unknown, the update stays open.
      }
      expect(['applied', 'duplicate']).toContain(results[0]?.status);
      this.acknowledged++;
      this.#open = null;
    }
  }
}

test('loses and doubles nothing in repeated kills under load', async () => {
  const workers = Array.from({ length: kClients }, (_, n) => new Worker(n));
  let server = await startServer(folder, schemaPath);
  const setup = new WireClient(server.url);
  await setup.push([
    {
      op: 'create',
      table: 'cities',
      id: 'total',
      realm: 'public',
      set: { name: 'total', population: 0 },
    },
  ]);
  for (let kill = 0; kill < kKills; kill++) {
    const before = workers.map(({ acknowledged }) => acknowledged);
    const running = workers.map((worker) => worker.run(server.url));
    // Kills after every client has had a few answers, in the middle of the next requests.
    const enough = () =>
      workers.every(({ acknowledged }, n) => acknowledged >= before[n]! + 3 + (kill % 4));
    while (!enough()) await new Promise((resolve) => setImmediate(resolve));
    await server.kill();
    await Promise.all(running);
    server = await startServer(folder, schemaPath);
  }
  for (const worker of workers) await worker.run(server.url, true);

  const sent = workers.reduce((sum, worker) => sum + worker.sent, 0);
  expect(workers.reduce((sum, worker) => sum + worker.acknowledged, 0)).toBe(sent);
  const rows = new Map<string, Json>();
  const reader = new WireClient(server.url, 'reader');
  reader.scopes = [{ table: 'cities', where: ['true'], filled: true }];
  await reader.sync(rows);
  expect(rows.get('public cities total')?.population).toBe(sent);
  expect(rows.size).toBe(sent + 1);
  const { body } = await reader.pull({ cursors: {} });
  expect((body.cursors as Record<string, string>).public).toMatch(new RegExp(`^${sent + 1}@`));
  expect(await server.stop()).toBe(0);
}, 400_000);

// PostgreSQL has a process of its own that guards its folder.
test.skipIf(postgresUrl !== undefined)(
  'refuses a second server on a data folder, and the first continues',
  async () => {
    const first = await startServer(folder, schemaPath);
    const refusal = await startServer(folder, schemaPath).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(refusal).toContain('is in use');
    expect(refusal).toContain(folder.data);
    const client = new WireClient(first.url);
    const result = await client.push([
      { op: 'create', table: 'cities', id: 'after', realm: 'public', set: { name: 'x' } },
    ]);
    expect(result).toMatchObject({ status: 'applied' });
    expect(await first.stop()).toBe(0);
  },
);

test('a stop answers requests in progress, and accepts no more', async () => {
  const server = await startServer(folder, schemaPath);
  const clients = Array.from({ length: 10 }, (_, n) => new WireClient(server.url, `stop-${n}`));
  const pushes = clients.map((client) =>
    client.push([
      {
        op: 'create',
        table: 'cities',
        id: `stop-${client.user}`,
        realm: 'public',
        set: { name: 'x' },
      },
    ]),
  );
  const first = await Promise.race(pushes);
  expect(first).toMatchObject({ status: 'applied' });
  expect(await server.stop()).toBe(0);
  const settled = await Promise.allSettled(pushes);
  const applied = settled.filter(({ status }) => status === 'fulfilled').length;
  const again = await startServer(folder, schemaPath);
  const rows = new Map<string, Json>();
  const reader = new WireClient(again.url, 'reader');
  reader.scopes = [{ table: 'cities', where: ['true'], filled: true }];
  await reader.sync(rows);
  const stored = [...rows.keys()].filter((key) => key.includes('stop-')).length;
  expect(stored).toBeGreaterThanOrEqual(applied);
  expect(await again.stop()).toBe(0);
});

test('refuses a schema that the data cannot follow, names why, and loses nothing', async () => {
  const { testSchema } = await import('./support/schemas.ts');
  const broken = JSON.parse(JSON.stringify(testSchema)) as { tables: { props: Json[] }[] };
  broken.tables[0]!.props[0] = { name: 'name', type: 'number' };
  const refusal = await startServer(folder, folder.schema(broken)).then(
    () => '',
    (error: Error) => error.message,
  );
  expect(refusal).toContain('cities.name');
  const server = await startServer(folder, schemaPath);
  expect((await (await fetch(`${server.url}/v1/health`)).json()) as Json).toEqual({
    status: 'ok',
    schema: 1,
    features: ['members', 'streams', 'diff', 'offer'],
    mended: 0,
  });
  expect(await server.stop()).toBe(0);
});
