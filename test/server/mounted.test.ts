// Goal: the server works inside of another server of Node, as docs/server.md says. Method: the examples of that page, as
// they are written there, each in a process of its own; and a server in this process for what happens at the end.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { createServer } from '../../server/src/server.ts';
import { placeDatabase } from '../support/initialised.ts';
import { makeDatabase, postgresUrl } from './support/database.ts';
import { Ear, terminateAll } from './support/ear.ts';
import { city } from './support/memberships.ts';
import { testSchema } from './support/schemas.ts';
import { Folder, type Json, WireClient } from './support/server.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/server.md'), 'utf8');
const secret = 'a secret of the tests, long enough for HS256';
const folder = new Folder();
// Below the tree, so that the packages are found.
const examples = join(root, 'node_modules/.skerry-examples');
afterEach(terminateAll);
afterAll(() => {
  folder.remove();
  rmSync(examples, { recursive: true, force: true });
});

function tokenOf(sub: string): Promise<string> {
  return new SignJWT({ sub })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret));
}

class SignedClient extends WireClient {
  readonly #token: string;

  constructor(url: string, user: string, token: string) {
    super(url, user);
    this.#token = token;
  }

  override get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}` };
  }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createHttpServer();
  const port = await listening(server);
  await new Promise((done) => server.close(done));
  return port;
}

async function databaseOf(name: string): Promise<string> {
  return postgresUrl === undefined
    ? placeDatabase(join(folder.path, name))
    : makeDatabase(postgresUrl, `mounted_${name}_${folder.path.slice(-6).toLowerCase()}`);
}

/** The example of the page that imports the package. */
function exampleOf(name: string): string {
  const blocks = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');
  const code = blocks.find((block) => block.includes(`from '${name}'`));
  if (code === undefined) throw new Error(`docs/server.md has no example with ${name}.`);
  return code;
}

async function start(name: string) {
  const own = join(examples, name);
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'schema.js'), `export const app = ${JSON.stringify(testSchema)};`);
  writeFileSync(join(own, 'server.js'), exampleOf(name));
  writeFileSync(join(own, 'package.json'), '{"type":"module"}');
  const port = await freePort();
  const env = {
    ...process.env,
    PORT: String(port),
    SKERRY_SECRET: secret,
    DATABASE_URL: await databaseOf(name),
  };
  const child = spawn(process.execPath, ['server.js'], { cwd: own, env, stdio: 'inherit' });
  folder.children.push(child);
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  const url = `http://127.0.0.1:${port}`;
  await expect
    .poll(() =>
      fetch(`${url}/v1/health`)
        .then(({ ok }) => ok)
        .catch(String),
    )
    .toBe(true);
  return { url, child, ended };
}

describe.each(['express', 'hono'])('the example with %s', (name) => {
  test('answers requests and pokes beside its own paths, and ends', async () => {
    const { url, child, ended } = await start(name);
    expect(await (await fetch(url)).text()).toBe('Hello');
    expect((await fetch(`${url}/other`)).status).toBe(404);
    expect((await fetch(`${url}/v1/tables/cities`)).status).toBe(401);
    expect((await fetch(`${url}/v1/health`, { method: 'HEAD' })).status).toBe(200);
    for (const method of ['HEAD', 'OPTIONS', 'PUT', 'DELETE']) {
      const { status } = await fetch(`${url}/v1/tables/cities`, { method });
      expect([method, status >= 400 || method === 'OPTIONS']).toEqual([method, true]);
    }
    const token = await tokenOf('anna');
    const [one, two] = [0, 1].map(() => new SignedClient(url, 'anna', token));
    const ear = await new Ear(url).opened();
    ear.hello({ token, client: one?.id, scopes: [{ table: 'cities', where: ['true'] }] });
    await ear.hears(({ type }) => type === 'ready');
    expect((await two?.push([city('user:anna', 'x'.repeat(100))]))?.status).toBe('applied');
    await ear.hears(({ type, realm }) => type === 'poke' && realm === 'user:anna');
    const rows = new Map<string, Json>();
    if (one) one.scopes = [{ table: 'cities', where: ['true'], filled: true }];
    await one?.sync(rows);
    expect(rows.size).toBe(1);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});

test.each(['GET', 'HEAD', 'POST', 'OPTIONS'])(
  'a host that answers by itself to %s gets no second answer',
  async (method) => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    const skerry = await createServer({
      schema: testSchema,
      database: await databaseOf(`host_${method.toLowerCase()}`),
      data: postgresUrl === undefined ? undefined : join(folder.path, `host-${method}`),
      auth: { secret },
    });
    const ended: Promise<unknown>[] = [];
    const server = createHttpServer((request, response) => {
      ended.push(new Promise((done) => response.once('close', done)));
      skerry.handler(request, response);
      response.writeHead(418).end();
    });
    const url = `http://127.0.0.1:${await listening(server)}`;
    expect((await fetch(`${url}/v1/tables/cities`, { method })).status).toBe(418);
    expect((await fetch(`${url}/v1/health`, { method })).status).toBe(418);
    await Promise.all(ended);
    await skerry.close();
    expect(logged.mock.calls).toEqual([]);
    logged.mockRestore();
    server.closeAllConnections();
    server.close();
  },
);

describe('a server without a port', () => {
  const auth = () => null;
  test.each([
    ['an empty database', { database: '' }],
    ['an empty folder', { data: '' }],
    ['an empty database beside a folder', { database: '', data: './data' }],
  ])('is refused %s, which would be the current directory', async (_, places) => {
    await expect(createServer({ schema: testSchema, auth, ...places })).rejects.toThrow('is empty');
  });

  test('answers until it is closed, and then with 503; other paths go on', async () => {
    const skerry = await createServer({
      schema: testSchema,
      database: await databaseOf('plain'),
      data: postgresUrl === undefined ? undefined : join(folder.path, 'plain'),
      auth: (token) => (token === 'of anna' ? { user: 'anna' } : null),
    });
    const server = createHttpServer((request, response) =>
      skerry.handler(request, response, () => response.writeHead(418).end()),
    );
    const url = `http://127.0.0.1:${await listening(server)}`;
    const get = async (path: string, token = 'of anna') =>
      (await fetch(url + path, { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await get('/')).toBe(418);
    expect(await get('/v1x')).toBe(418);
    expect(await get('/v1/tables/cities', 'of%20anna')).toBe(401);
    expect(await get('/v1/health')).toBe(200);
    await skerry.close();
    expect(await get('/v1/health')).toBe(503);
    expect(await get('/')).toBe(418);
    server.closeAllConnections();
    server.close();
  });
});
