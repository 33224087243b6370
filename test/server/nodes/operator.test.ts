// Goal: an operator of PostgreSQL reads one sentence for a right that is missing, and two lines for an outage. Method: the
// built command on a PostgreSQL of the test's own.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../../../tools/lib/cluster.mjs';
import { runSql } from '../support/database.ts';
import { Folder, post, startServer, WireClient } from '../support/server.ts';

const folder = new Folder();
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
  await runSql(cluster.url, `create role plain login password 'hidden'`);
});
afterAll(async () => {
  folder.remove();
  await cluster?.remove();
});

const schema = folder.schema();

/** An empty database, as the user who has no right but to connect. */
async function asPlain(name: string): Promise<string> {
  await runSql(cluster.url, `create database "${name}"`);
  const url = new URL(cluster.url);
  url.pathname = `/${name}`;
  url.username = 'plain';
  url.password = 'hidden';
  return url.href;
}
const asOwner = (url: string, sql: string) => {
  const owner = new URL(cluster.url);
  owner.pathname = new URL(url).pathname;
  return runSql(owner.href, sql);
};

describe('a user who may not make the tables is named, with the right that is missing', () => {
  const refused = async (url: string) => {
    const started = startServer(folder, schema, { env: { DATABASE_URL: url } });
    const { message } = await started.then(
      () => ({ message: 'it has started' }),
      (error: Error) => error,
    );
    expect(message).not.toMatch(/^\s+at /m);
    expect(message).not.toContain('hidden');
    return message.trim().split('\n').at(-1);
  };

  test('on the database, then on the schema, and then it starts', async () => {
    const url = await asPlain('rights');
    expect(await refused(url)).toMatch(
      /does not let plain make the tables: permission denied for database rights\. It needs: grant create on database rights to plain\.$/,
    );
    await asOwner(url, 'grant create on database rights to plain');
    expect(await refused(url)).toMatch(
      /permission denied for schema public\. It needs: grant usage, create on schema public to plain\.$/,
    );
    await asOwner(url, 'grant usage, create on schema public to plain');
    const server = await startServer(folder, schema, { env: { DATABASE_URL: url } });
    expect(await server.stop()).toBe(0);
  });

  test('on tables that another user has made', async () => {
    const url = await asPlain('owned');
    const owner = new URL(cluster.url);
    owner.pathname = '/owned';
    const server = await startServer(folder, schema, { env: { DATABASE_URL: owner.href } });
    await server.stop();
    await asOwner(url, 'grant create on database owned to plain');
    expect(await refused(url)).toMatch(
      /does not let plain make the tables: permission denied for schema skerry\. It needs: grant usage, create on schema skerry to plain\.$/,
    );
  });
});

test('says once that a client knows more of a realm than the database has', async () => {
  const server = await startServer(folder, schema, { env: { DATABASE_URL: cluster.url } });
  const client = new WireClient(server.url, 'anna');
  for (let times = 0; times < 2; times++) {
    const request = { ...client.request(), cursors: { 'user:anna': '7@1700000000000' } };
    expect((await post(server.url, '/v1/pull', request, client.headers)).status).toBe(200);
  }
  const lines = server.output().split('\n');
  expect(lines.filter((line) => line.includes('restored'))).toEqual([
    'A client has revision 7 of the realm user:anna, and this database 0: it was restored to an earlier state. This is logged once.',
  ]);
  expect(await server.stop()).toBe(0);
});

test('a database that stops is one line, and one when it is back', async () => {
  const server = await startServer(folder, schema, { env: { DATABASE_URL: cluster.url } });
  const lines = () =>
    server
      .output()
      .slice(server.output().indexOf('skerry-server ready'))
      .trim()
      .split('\n')
      .slice(1);
  const gone = /^The database does not answer: .+\. Requests are refused until it does\.$/;
  const back = /^The database answers again, after \d+\.\d s\.$/;
  const seen = (pattern: RegExp, times: number) =>
    expect.poll(() => lines().filter((line) => pattern.test(line)).length).toBe(times);
  /** The server looks at the database every 3 s, and at each request. */
  const looks = () => fetch(`${server.url}/v1/health`).then(({ status }) => status);
  for (let outage = 1; outage <= 2; outage++) {
    await cluster.stop('immediate');
    await seen(gone, outage);
    // Of its further looks none is a line.
    const since = performance.now();
    const tries = () => looks().then((status) => status === 503 && performance.now() - since);
    if (outage === 1) await expect.poll(tries).toBeGreaterThan(7_000);
    await cluster.start();
    await seen(back, outage);
    expect(lines().filter((line) => !gone.test(line) && !back.test(line))).toEqual([]);
    expect(lines()).toHaveLength(outage * 2);
  }
  expect(await server.stop()).toBe(0);
});
