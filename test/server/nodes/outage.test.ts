// Goal: when nodes or PostgreSQL die under load, nothing acknowledged is lost, nothing is doubled, retries succeed,
// and a node outlives its database. Method: two real nodes on a PostgreSQL of the test's own; nodes are killed with
// SIGKILL, PostgreSQL is stopped immediately, as in a crash; clients use either node, and send unanswered updates
// again, byte for byte.

import { afterAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../../../tools/lib/cluster.mjs';
import { patience } from '../../support/patience.ts';
import { rounds } from '../../support/rounds.ts';
import { clientAt, Nodes } from '../support/nodes.ts';
import { type Json, post, uuid7, WireClient, type WireUpdate } from '../support/server.ts';

const kClients = 6;
const kNodeKills = rounds(10, 5);
const kDatabaseStops = rounds(3, 2);
let cluster: Cluster | undefined;
let nodes: Nodes | undefined;
afterAll(async () => {
  await nodes?.remove();
  await cluster?.remove();
});

const cities = { table: 'cities', realm: 'public' };
const total = uuid7();
/** Called after every answer and failure of a worker. */
const wake: (() => void)[] = [];

/** Pushes one inc after the other, to the nodes in turn. */
class Worker {
  readonly client: WireClient;
  readonly stop = new AbortController();
  acknowledged = 0;
  readonly refused = new Set<string>();
  readonly revisions: number[] = [];
  #turn: number;

  constructor(n: number) {
    this.client = new WireClient('', `user-${n}`);
    this.#turn = n;
  }

  async run(of: Nodes): Promise<void> {
    while (!this.stop.signal.aborted) {
      const update = this.client.update([
        { op: 'inc', ...cities, id: total, add: { population: 1 } },
        { op: 'create', ...cities, id: uuid7(), set: { name: this.client.user } },
      ]);
      await this.#deliver(of, update);
    }
  }

  async #deliver(of: Nodes, update: WireUpdate): Promise<void> {
    for (;;) {
      const { url } = of.running[this.#turn++ % of.running.length]!;
      const answer = await clientAt(this.client, url)
        .send([update])
        .catch(() => null);
      for (const each of wake.splice(0)) each();
      if (answer?.status === 200) {
        const [result] = answer.body.results as [Json];
        expect(['applied', 'duplicate']).toContain(result.status);
        this.revisions.push(Number((result.revisions as Json).public));
        this.acknowledged++;
        return;
      }
      if (answer !== null) {
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
        this.refused.add(`${answer.status} ${String(answer.body.code)}`);
      } else {
        // No server is there: let the rest of this process continue.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}

async function until(what: () => boolean): Promise<void> {
  const deadline = performance.now() + patience(60_000);
  while (!what()) {
    if (performance.now() > deadline) throw new Error('It did not come.');
    await new Promise<void>((resolve) => wake.push(resolve));
  }
}

/** Each worker has had `more` further answers. */
function progress(workers: readonly Worker[], more: number): Promise<void> {
  const before = workers.map(({ acknowledged }) => acknowledged);
  return until(() => workers.every(({ acknowledged }, n) => acknowledged >= before[n]! + more));
}

test('survives kills of nodes and crashes of PostgreSQL under load', async () => {
  const database = await startCluster();
  cluster = database;
  const both = new Nodes(database.url);
  nodes = both;
  await Promise.all([both.start(0), both.start(1)]);
  const setup = new WireClient(both.running[0]!.url);
  await setup.push([{ op: 'create', ...cities, id: total, set: { name: 't', population: 0 } }]);
  const workers = Array.from({ length: kClients }, (_, n) => new Worker(n));
  const running = workers.map((worker) => worker.run(both));

  for (let kill = 0; kill < kNodeKills; kill++) {
    await progress(workers, 2 + (kill % 3));
    await both.running[kill % 2]!.kill();
    await both.start(kill % 2);
  }
  for (const worker of workers) worker.refused.clear();
  const before = both.running.map(({ process: { pid } }) => pid);
  for (let stop = 0; stop < kDatabaseStops; stop++) {
    await progress(workers, 3);
    for (const worker of workers) worker.refused.clear();
    await database.stop('immediate');
    // Every client has been answered with `busy` by a live node.
    await until(() => workers.every(({ refused }) => refused.size > 0));
    const pull = await post(both.running[0]!.url, '/v1/pull', setup.request(), setup.headers);
    expect([pull.status, pull.body.code]).toEqual([503, 'busy']);
    const health = await fetch(`${both.running[1]!.url}/v1/health`);
    expect(health.status).toBe(503);
    await database.start();
  }
  await progress(workers, 3);
  for (const worker of workers) worker.stop.abort();
  await Promise.all(running);

  for (const { refused } of workers) expect([...refused]).toEqual(['503 busy']);
  expect(both.running.map(({ process: { pid, exitCode } }) => [pid, exitCode])).toEqual(
    before.map((pid) => [pid, null]),
  );
  const count = workers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  const [row] = await both.sql(
    `select (select population from public.cities where id = '${total}')::text as population,
            (select count(*) from public.cities)::text as rows,
            (select head from skerry.realm where realm = 'public')::text as head,
            (select count(*) from skerry.log where realm = 'public')::text as entries`,
  );
  const one = String(count + 1);
  expect(row).toEqual({ population: String(count), rows: one, head: one, entries: one });
  for (const { revisions } of workers) {
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
  }
  expect(new Set(workers.flatMap(({ revisions }) => revisions)).size).toBe(count);
}, 300_000);
