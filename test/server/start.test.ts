// Goal: a wrong setting is explained in one sentence, with exit code 1, and never by a stack trace. Method: the built
// command with each of these, several at a time.

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Folder, post, startServer } from './support/server.ts';

const kMain = join(import.meta.dirname, '../../server/dist/main.js');
const secret = 'a secret of the tests, long enough for HS256';
const folder = new Folder();
afterAll(() => folder.remove());

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

/** Runs the command until it ends, or until it has printed `until`. */
function run(
  args: readonly string[],
  env: Record<string, string> = {},
  until?: RegExp,
): Promise<Ended> {
  const { DATABASE_URL: _url, SKERRY_SECRET: _secret, ...environment } = process.env;
  const child = spawn(process.execPath, [kMain, ...args], {
    env: { ...environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  folder.children.push(child);
  let said = '';
  const take = (chunk: Buffer) => {
    said += chunk.toString();
    if (until?.test(said)) child.kill('SIGKILL');
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said }));
  });
}

const schema = folder.schema();
const data = () => ['--data', join(folder.path, `data-${Math.random()}`)];
const dev = ['--dev', '--schema', schema, '--port', '0'];
const bad = JSON.stringify({
  version: 1,
  tables: [
    {
      name: 'a',
      ids: 'uuid',
      props: [{ name: 'b', type: 'ref', ref: { table: 'nope', onDelete: null } }],
    },
  ],
});

const wrong: [name: string, args: string[], env: Record<string, string>, said: RegExp][] = [
  ['no schema', ['--dev'], {}, /^--schema is needed\.$/m],
  ['an unknown flag', ['--nonsense'], {}, /nonsense/],
  [
    'a schema that is not there',
    ['--dev', '--schema', 'nope.mjs'],
    {},
    /^--schema: there is no file .*nope\.mjs\.$/m,
  ],
  [
    'a schema in a language that Node does not load',
    ['--dev', '--schema', folder.file('app.coffee', 'x')],
    {},
    /^--schema .*app\.coffee: this Node \(v[\d.]+\) cannot load such a file\. Compile it/m,
  ],
  [
    'a schema with a mistake in it',
    ['--dev', '--schema', folder.file('broken.mjs', 'export default {')],
    {},
    /^--schema .*broken\.mjs could not be loaded: /m,
  ],
  [
    'a schema that throws',
    [
      '--dev',
      '--schema',
      folder.file('throws.mjs', `throw new Error('a.b refers to nope, which is no table.')`),
    ],
    {},
    /^--schema .*could not be loaded: a\.b refers to nope, which is no table\.$/m,
  ],
  [
    'a module that exports something else',
    ['--dev', '--schema', folder.file('other.mjs', 'export const x = 1')],
    {},
    /^--schema .*other\.mjs: The schema module must export, as default or as `app`/m,
  ],
  [
    'a reference to no table',
    ['--dev', '--schema', folder.file('ref.mjs', `export default ${bad}`)],
    {},
    /a\.b: no table nope/,
  ],
  [
    'a seed that is not there',
    [...dev, '--seed', 'nope.mjs'],
    {},
    /^--seed: there is no file .*nope\.mjs\.$/m,
  ],
  [
    'a seed that is none',
    [...dev, '--seed', folder.file('seed.mjs', 'export default 1')],
    {},
    /^--seed .*seed\.mjs exports no seed/m,
  ],
  [
    'a port that is none',
    ['--dev', '--schema', schema, '--port', '99999'],
    {},
    /^--port 99999 is not a port\.$/m,
  ],
  [
    'keys of an issuer without an audience',
    ['--schema', schema, '--jwks', 'https://login.example/keys.json', '--issuer', 'x'],
    {},
    /^With JWKS, issuer and audience are needed/m,
  ],
  [
    'a file of keys that is none',
    ['--schema', schema, '--jwks', folder.file('keys.json', '{'), '--issuer', 'x'],
    {},
    /^--jwks .*keys\.json could not be read: /m,
  ],
  ['a skew that is no number', [...dev, '--clock-skew', 'x'], {}, /^--clock-skew x is no number/m],
  ['no way to sign in', ['--schema', schema], {}, /^Either --secret .* or --dev is needed\.$/m],
  [
    'a short key',
    ['--schema', schema, '--secret', 'abc'],
    {},
    /^The secret has 3 bytes: .* at least 32/m,
  ],
  ['an empty key', ['--schema', schema], { SKERRY_SECRET: '' }, /^The secret has 0 bytes/m],
  [
    'a short previous key',
    ['--schema', schema, '--secret', secret, '--secret', 'b'],
    {},
    /^The previous secret has 1 bytes/m,
  ],
  [
    'a previous key alone',
    ['--schema', schema],
    { SKERRY_SECRET_PREVIOUS: secret },
    /^SKERRY_SECRET_PREVIOUS is set, and SKERRY_SECRET is not\.$/m,
  ],
  [
    'three keys',
    ['--schema', schema, '--secret', secret, '--secret', secret, '--secret', secret],
    {},
    /^--secret is given twice at most\.$/m,
  ],
  [
    '--dev on all addresses',
    [...dev, '--host', '0.0.0.0'],
    {},
    /^--dev accepts any user name .* --host 0\.0\.0\.0 is open to other machines/m,
  ],
  [
    'a database of another kind',
    dev,
    { DATABASE_URL: 'mysql://x@y/z' },
    /^DATABASE_URL starts with mysql:\/\/, not with postgres:\/\//m,
  ],
  [
    'a database address that is none',
    dev,
    { DATABASE_URL: 'my database' },
    /^DATABASE_URL is not a URL/m,
  ],
];

wrong.push(
  [
    'an empty address of the database',
    dev,
    { DATABASE_URL: '' },
    /^DATABASE_URL is empty: .* unset it to use PGlite\.$/m,
  ],
  ['an empty folder of data', [...dev, '--data', ''], {}, /^`data` \(--data\) is empty/m],
  [
    'a folder of data that is a file',
    [...dev, '--data', folder.file('taken', 'x')],
    {},
    /^The folder of the data, .*taken, cannot be written: .* --data .* names another\.$/m,
  ],
  [
    'a folder of data where none can be made',
    [...dev, '--data', '/dev/null/data'],
    {},
    /^The folder of the data, \/dev\/null\/data, cannot be written: /m,
  ],
  [
    'files that are nowhere',
    [...dev, '--static', join(folder.path, 'nowhere')],
    {},
    /^--static .*: there is no folder .*nowhere\.$/m,
  ],
  [
    'files that are one file',
    [...dev, '--static', folder.file('page.html', 'x')],
    {},
    /^--static .*: there is no folder .*page\.html\.$/m,
  ],
  [
    'an origin with a path',
    [...dev, '--origin', 'https://app.example/path'],
    {},
    /^--origin https:\/\/app\.example\/path is no origin: it is https:\/\/app\.example\.$/m,
  ],
  [
    'an origin with a slash at its end',
    [...dev, '--origin', 'https://app.example/'],
    {},
    /^--origin .* is no origin: it is https:\/\/app\.example\.$/m,
  ],
  [
    'an origin that is none',
    [...dev, '--origin', 'app.example'],
    {},
    /^--origin app\.example is no origin, as https:\/\/app\.example is\.$/m,
  ],
);

const ended = new Map<string, Promise<Ended>>();
/** Two at a time: most of a process's time is its start. */
let turn: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];
for (const [i, [name, args, env]] of wrong.entries()) {
  const all = args.includes('--data') ? args : [...args, ...data()];
  const result = (turn[i % 2] as Promise<unknown>).then(() => run(all, env));
  ended.set(name, result);
  turn = turn.map((one, place) => (place === i % 2 ? result.catch(() => {}) : one));
}

describe('the command ends with a sentence for', () => {
  test.each(wrong)('%s', async (name, _args, _env, sentence) => {
    const { code, said } = (await ended.get(name)) as Ended;
    expect(said).toMatch(sentence);
    expect(said).not.toMatch(/^\s+at /m);
    // The usage would push the sentence off the screen.
    expect(said.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
    expect(code).toBe(1);
  });

  test('a port that is taken', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const { port } = taken.address() as { port: number };
    const { code, said } = await run([
      '--dev',
      '--schema',
      schema,
      '--port',
      String(port),
      ...data(),
    ]);
    taken.close();
    expect(said).toMatch(
      new RegExp(`^Port ${port} of 127\\.0\\.0\\.1 is taken by another program`, 'm'),
    );
    expect(said).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });
});

test('waits for an unreachable database, and says so at once, without its password', async () => {
  const url = 'postgres://user:hidden@127.0.0.1:9/db';
  const { said } = await run(
    [...dev, ...data()],
    { DATABASE_URL: url },
    /Waiting for the database at 127\.0\.0\.1:9 …/,
  );
  expect(said).toMatch(/^Waiting for the database at 127\.0\.0\.1:9 …/m);
  expect(said).not.toContain('hidden');
});

test('prints the version, and warns of --dev together with a secret', async () => {
  expect(await run(['--version'])).toEqual({
    code: 0,
    said: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  const server = await startServer(folder, schema, { args: ['--dev', '--secret', secret] });
  expect(server.output()).toMatch(/^--dev together with signed tokens/m);
  expect(await server.stop()).toBe(0);
});

test('warns of keys that cannot be fetched, with the reason, and starts', async () => {
  const keys = createServer();
  await new Promise<void>((done) => keys.listen(0, '127.0.0.1', done));
  const { port } = keys.address() as { port: number };
  await new Promise((done) => keys.close(done));
  const url = `http://127.0.0.1:${port}/keys.json`;
  const issuer = ['--issuer', 'https://login.example', '--audience', 'todo'];
  const args = ['--schema', schema, '--port', '0', '--jwks', url, ...issuer, ...data()];
  const { said } = await run(
    args,
    {},
    /skerry-server ready .*\n[\s\S]*keys of tokens|keys of tokens[\s\S]*ready/,
  );
  expect(said).toContain(
    `The keys of tokens could not be fetched from ${url}: connect ECONNREFUSED`,
  );
  expect(said).not.toMatch(/^\s+at /m);
});

test('reports the work of a first start before it is ready', async () => {
  const row = { table: 'cities', id: '0197a3f0-0000-7000-8000-000000000001', realm: 'public' };
  const seed = folder.file(
    'rows.mjs',
    `export default ${JSON.stringify([{ ...row, set: { name: 'A' } }])};`,
  );
  const args = [...dev, '--seed', seed, ...data()];
  const first = await run(args, {}, /skerry-server ready/);
  expect(first.said.split('\n')).toEqual([
    expect.stringMatching(/^Making a new database in .* …$/),
    expect.stringMatching(/^Filling the database: 1 rows/),
    expect.stringMatching(/^Filled the database: 1 rows/),
    'Making the image of public …',
    expect.stringMatching(/^Made the image of public: /),
    expect.stringMatching(/^skerry-server ready /),
    '',
  ]);
  const second = await run(args, {}, /skerry-server ready/);
  expect(second.said).toMatch(/^Opening the database in .*…$/m);
});

test('a development server answers no requests or sockets for a foreign host name', async () => {
  const server = await startServer(folder, schema);
  const { request } = await import('node:http');
  const ask = (host: string, more: Record<string, string> = {}) =>
    new Promise<number>((resolve, reject) => {
      const { port } = new URL(server.url);
      const headers = { host, origin: `http://${host}`, authorization: 'Bearer dev:anna', ...more };
      const asked = request({
        host: '127.0.0.1',
        port,
        path: more.upgrade ? '/v1/poke' : '/v1/tables/cities',
        headers,
      });
      asked.once('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.once('upgrade', (_response, socket) => {
        socket.destroy();
        resolve(101);
      });
      asked.once('error', reject);
      asked.end();
    });
  const socket = {
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  const { port } = new URL(server.url);
  expect(await ask(`evil.example:${port}`)).toBe(403);
  expect(await ask(`evil.example:${port}`, socket)).toBe(403);
  expect(await ask(`localhost:${port}`)).toBe(200);
  expect(await ask(`localhost:${port}`, socket)).toBe(101);
  const said = await post(server.url, '/v1/push', {}, { authorization: 'Bearer x.y.z' });
  expect(said.status).toBe(401);
  expect(await server.stop()).toBe(0);
});
