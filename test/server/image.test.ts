// Goal: a new client gets a large realm as an immutable image, which only users who may read the realm can fetch, in
// pieces if necessary; and seeding writes each row once, however often it is killed. Method: a real server, seeded
// with cities.

import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Folder, type Json, startServer, type TestServer, WireClient } from './support/server.ts';

const kRows = 12_345;
const folder = new Folder();
const schemaPath = folder.schema();
const seedPath = folder.file(
  'seed.mjs',
  `export default function* () {
     for (let i = 0; i < ${kRows}; i++) {
       yield { table: 'cities', id: 'city-' + i, realm: 'public', set: { name: 'City ' + i, population: i } };
     }
   }`,
);
const args = ['--dev', '--seed', seedPath];
let server: TestServer;
let kills = 0;

/** Starts with the seed, kills at the first sign of progress, then starts again and waits for the end. */
beforeAll(async () => {
  const { spawn } = await import('node:child_process');
  const main = join(import.meta.dirname, '../../server/dist/main.js');
  await new Promise<void>((resolve) => {
    const child = spawn(process.execPath, [
      main,
      '--schema',
      schemaPath,
      '--port',
      '0',
      '--data',
      folder.data,
      ...args,
    ]);
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('Filling') && child.kill('SIGKILL')) kills++;
    });
    child.on('exit', () => resolve());
  });
  server = await startServer(folder, schemaPath, { args });
});
afterAll(async () => {
  await server.stop();
  folder.remove();
});

const scopes = ['cities', 'userGroups', 'members', 'notices'].map((table) => ({
  table,
  where: ['true'],
  filled: false,
}));

async function fill(client: WireClient): Promise<Json> {
  client.scopes = scopes;
  const { status, body } = await client.pull();
  expect(status).toBe(200);
  const [offer] = body.fills as Json[];
  return offer!;
}

test('a killed seeding continues from its marker, and prints its progress', async () => {
  expect(kills).toBeGreaterThan(0);
  expect(server.output()).toMatch(/Filling the database: \d+ rows/);
  expect(server.output()).toContain(`Filled the database: ${kRows} rows`);
  const client = new WireClient(server.url);
  client.scopes = [{ table: 'cities', where: ['>=', 'population', 0], filled: false }];
  const ids = new Set<unknown>();
  let count = 0;
  for (let filled: unknown = false; filled !== true; ) {
    const { body } = await client.pull();
    for (const { id } of body.changes as Json[]) {
      ids.add(id);
      count++;
    }
    client.cursors = { ...client.cursors, ...(body.cursors as Record<string, string>) };
    const [page] = body.fills as Json[];
    filled = page === undefined ? true : (page.upto ?? true);
    client.scopes = [{ table: 'cities', where: ['>=', 'population', 0], filled }];
  }
  expect([ids.size, count]).toEqual([kRows, kRows]);
});

test('offers a whole realm as an image without moving the cursor', async () => {
  const client = new WireClient(server.url);
  const offer = await fill(client);
  expect(offer).toMatchObject({ realm: 'public' });
  const { body } = await client.pull();
  expect((body.cursors as Json).public ?? '0@0').toBe('0@0');
  expect(body.changes).toEqual([]);
  const response = await fetch(server.url + String(offer.url), { headers: client.headers });
  expect(response.status).toBe(200);
  expect(response.headers.get('cache-control')).toContain('immutable');
  expect(response.headers.get('cache-control')).toContain('private');
  expect(response.headers.get('etag')).toBe(`"${String(offer.hash)}"`);
  expect((await response.arrayBuffer()).byteLength).toBe(offer.bytes);
});

test('an interrupted download continues by range, to the same bytes', async () => {
  const client = new WireClient(server.url);
  const offer = await fill(client);
  const url = server.url + String(offer.url);
  const whole = Buffer.from(await (await fetch(url, { headers: client.headers })).arrayBuffer());
  const middle = Math.floor(whole.length / 3);
  const parts: Buffer[] = [];
  for (const range of [`bytes=0-${middle - 1}`, `bytes=${middle}-`]) {
    const headers = { ...client.headers, range, 'if-range': `"${String(offer.hash)}"` };
    const response = await fetch(url, { headers });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toMatch(new RegExp(`/${whole.length}$`));
    parts.push(Buffer.from(await response.arrayBuffer()));
  }
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  expect(digest(Buffer.concat(parts))).toBe(digest(whole));
  const past = await fetch(url, {
    headers: { ...client.headers, range: `bytes=${whole.length}-` },
  });
  expect(past.status).toBe(416);
  const ofAnother = await fetch(url, {
    headers: { ...client.headers, range: 'bytes=0-1', 'if-range': '"another"' },
  });
  expect([ofAnother.status, (await ofAnother.arrayBuffer()).byteLength]).toEqual([
    200,
    whole.length,
  ]);
  const last = await fetch(url, { headers: { ...client.headers, range: 'bytes=-5' } });
  expect([last.status, Buffer.from(await last.arrayBuffer())]).toEqual([
    206,
    whole.subarray(whole.length - 5),
  ]);
  const head = await fetch(url, { method: 'HEAD', headers: client.headers });
  expect([head.status, head.headers.get('content-length'), head.headers.get('etag')]).toEqual([
    200,
    String(whole.length),
    `"${String(offer.hash)}"`,
  ]);
  const same = await fetch(url, {
    headers: { ...client.headers, 'if-none-match': `"${String(offer.hash)}"` },
  });
  expect(same.status).toBe(304);
});

test('answers alike for an image without a right and one that does not exist', async () => {
  const owner = new WireClient(server.url, 'owner');
  const rows = Array.from({ length: 2_100 }, (_, i) => ({
    op: 'create',
    table: 'cities',
    id: `own-${i}`,
    realm: 'user:owner',
    set: { name: 'own' },
  }));
  expect(await owner.push(rows)).toMatchObject({ status: 'applied' });
  owner.scopes = scopes;
  const { body } = await owner.pull();
  const offer = (body.fills as Json[]).find(({ realm }) => realm === 'user:owner')!;
  const url = server.url + String(offer.url);
  expect((await fetch(url, { headers: owner.headers })).status).toBe(200);
  expect((await fetch(url)).status).toBe(401);
  const stranger = new WireClient(server.url, 'stranger');
  const forbidden = await fetch(url, { headers: stranger.headers });
  const unknown = await fetch(url.replace(String(offer.hash), '0000000000000000'), {
    headers: stranger.headers,
  });
  expect([forbidden.status, unknown.status]).toEqual([404, 404]);
  for (const name of ['%00/1/%00', 'x/NaN/y', 'x/99999999999999999999/y', 'x/1/%F0%9F%98%80']) {
    const odd = `${server.url}/v1/snapshot/user:owner/${name}`;
    expect((await fetch(odd, { headers: owner.headers })).status).toBe(404);
  }
  expect(await forbidden.text()).toBe(await unknown.text());
});

test('offers an image again while its realm grows, and keeps only a few', async () => {
  const client = new WireClient(server.url);
  const first = await fill(client);
  await client.push([
    { op: 'create', table: 'cities', id: 'newer', realm: 'public', set: { name: 'newer' } },
  ]);
  expect(await fill(new WireClient(server.url))).toEqual(first);
  expect(await server.stop()).toBe(0);
  server = await startServer(folder, schemaPath, { args });
  expect(server.output()).not.toContain('Filling');
  expect(await fill(new WireClient(server.url))).toEqual(first);
  // Later changes come as ordinary changes after the image's cursor.
  const rest = new WireClient(server.url);
  rest.scopes = scopes.map((scope) => ({ ...scope, filled: true }));
  const { body } = await rest.pull({
    cursors: { public: `${String(first.revision)}@${String(first.at)}` },
  });
  expect(body.changes).toMatchObject([{ change: 'create', id: 'newer' }]);
  const images = readdirSync(join(folder.data, 'images')).filter((name) => name.endsWith('.image'));
  expect(images.length).toBeLessThanOrEqual(4);
});

test('makes one image for clients that come at the same time', async () => {
  const user = 'crowd';
  const author = new WireClient(server.url, user);
  const ids = Array.from({ length: 6000 }, (_, i) => `crowd-${i}`);
  await author.push(
    ids.map((id) => ({
      op: 'create',
      table: 'cities',
      id,
      realm: `user:${user}`,
      set: { name: id },
    })),
  );
  const files = () =>
    readdirSync(join(folder.data, 'images')).filter((name) => name.endsWith('.image'));
  const before = new Set(files());
  let answered = 0;
  const offer = async () => {
    const client = new WireClient(server.url, user);
    client.scopes = scopes;
    // The other realm turns out to need an image only after the log was read.
    const ask = () => client.pull({ cursors: { public: '1@1' } });
    let { status, body } = await ask();
    // On a machine under load the image may take longer than a pull may: then the clients try again, as real ones do.
    while (status === 503 || status === 429) ({ status, body } = await ask());
    answered++;
    expect((body.fills as Json[]).filter(({ url }) => url)).toHaveLength(2);
    return (body.fills as Json[]).find(({ realm }) => realm === `user:${user}`)?.url;
  };
  // Some at once, and one after the other while it is made, so that some arrive just after it is done.
  const clients = Array.from({ length: 8 }, offer);
  while (answered === 0 && clients.length < 60) {
    clients.push(offer());
    await fetch(`${server.url}/nothing-here`);
  }
  const offers = await Promise.all(clients);
  expect(new Set(offers).size).toBe(1);
  expect(offers[0]).toBeDefined();
  expect(files().filter((name) => !before.has(name))).toHaveLength(1);
});
