// Goal: every offered image can be fetched, with more realms than images kept of one, and after the store was
// cleared. Method: a real server, six realms with images; the test deletes its folder and table rows.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDatabase, postgresUrl, runSql } from './support/database.ts';
import { everything } from './support/pulling.ts';
import { type Json, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

let databaseUrl: string | undefined;
const server = new SharedServer(async (folder) => {
  if (postgresUrl !== undefined)
    databaseUrl = await makeDatabase(postgresUrl, `images_${folder.path.slice(-6).toLowerCase()}`);
  const env = databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl };
  return { env };
});

const users = Array.from({ length: 6 }, (_, i) => `owner-${i}`);

async function write(user: string, count: number, prefix = 'row'): Promise<void> {
  const ops = Array.from({ length: count }, (_, i) => ({
    ...{ op: 'create', table: 'notices', id: `${prefix}-${user}-${i}`, realm: `user:${user}` },
    set: {},
  }));
  expect(await new WireClient(server.url, user).push(ops)).toMatchObject({ status: 'applied' });
}

/** The offer to a new reader, and the answer to its download. */
async function fetched(user: string): Promise<{ url: unknown; status: number }> {
  const reader = new WireClient(server.url, user);
  reader.scopes = everything.map((scope) => ({ ...scope, filled: false }));
  const { body } = await reader.pull();
  const offer = (body.fills as Json[]).find(({ realm }) => realm === `user:${user}`);
  const { url } = offer!;
  const { status } = await fetch(server.url + String(url), { headers: reader.headers });
  return { url, status };
}

test('offers a working image of each of six realms, again and again', async () => {
  for (const user of users) await write(user, 2_100);
  const urls = new Map<string, unknown>();
  for (const user of users) {
    const { url, status } = await fetched(user);
    expect([user, status]).toEqual([user, 200]);
    urls.set(user, url);
  }
  for (const user of [...users, ...users]) {
    expect(await fetched(user)).toEqual({ url: urls.get(user), status: 200 });
  }
});

test('makes deleted images again, and does not offer them before', async () => {
  if (databaseUrl !== undefined) {
    // All nodes share the table; the folder is only a cache of it.
    await runSql(databaseUrl, 'delete from skerry.image');
  }
  rmSync(join(server.folder.data, 'images'), { recursive: true });
  for (const user of users.slice(0, 2)) expect((await fetched(user)).status).toBe(200);
});
