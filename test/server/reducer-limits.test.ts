// Goal: whoever may append cannot stop a server by what its reducers make of it: neither its process, nor its next start, nor
// other streams, nor its answers meanwhile. Method: real servers with small limits, attacked over the wire; a reducer of
// a usual kind, whose state is a list of all that was appended.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { http, open, schema, t, table } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { createServer } from '../../server/src/server.ts';
import { placeDatabase } from '../support/initialised.ts';
import { isRunning } from '../support/processes.ts';
import { append, appending, history, pull } from './support/appending.ts';
import { makeDatabase, postgresUrl } from './support/database.ts';
import { Folder, type Json, startServer, type TestServer, WireClient } from './support/server.ts';

const app = schema({ notes: table({ title: t.string() }) }, { version: 1 });
const folders: Folder[] = [];
const running: TestServer[] = [];
afterAll(async () => {
  for (const server of running) await server.stop();
  for (const folder of folders) folder.remove();
});

function newFolder(): Folder {
  const folder = new Folder();
  folders.push(folder);
  return folder;
}

async function start(folder: Folder, reducers: string, args: readonly string[]) {
  const exports = `export const reducers = { ${reducers} };`;
  const path = folder.schema(app, exports);
  const server = await startServer(folder, path, { args: ['--dev', ...args] });
  running.push(server);
  return server;
}

/** PGlite is in the folder of the data. */
async function databaseOf(folder: Folder): Promise<string | undefined> {
  if (postgresUrl === undefined) placeDatabase(folder.data);
  return postgresUrl && makeDatabase(postgresUrl, folder.path.slice(-6).toLowerCase());
}

let users = 0;
const newUser = () => `limits-${++users}`;
const client = ({ url }: TestServer, user: string) => new WireClient(url, user);
const times = (server: TestServer, text: string) => server.output().split(text).length - 1;

/** The revision of the last snapshot of a stream that a newcomer is told of. */
async function told(one: WireClient, stream: string, version = 1): Promise<number | null> {
  const body = await pull(one, [{ stream, version, filled: {} }]);
  const item = (body.streams as Json[]).find(({ snapshot }) => snapshot !== undefined);
  return (item?.snapshot as { revision: number } | undefined)?.revision ?? null;
}
const toldWithin = (one: WireClient, stream: string, version = 1) =>
  expect.poll(() => told(one, stream, version), { timeout: 60_000 });

const count = `count: { initialState: 0, reducer: (n) => n + 1 }`;
const chat = `chat: { initialState: [], reducer: (all, next) => {
  if (all.length === 0) console.log('the chat is folded');
  return [...all, next];
} }`;
/** 600 kB, and twenty times as many in memory. */
const swelling = () => Array.from({ length: 200_000 }, () => ({}));

/** The result of each update: its status, or why it was rejected. */
const resultsOf = ({ body }: { readonly body: Json }) =>
  (body.results as Json[]).map(({ status, rejected }) =>
    status === 'rejected' ? (rejected as Json[])[0] : status,
  );
const limited = expect.objectContaining({ code: 'limit' });

describe('a stream that takes more memory than there is', () => {
  const args = ['--actions-per-snapshot', '8', '--reducer-memory', '64', '--retry-streams'];
  const folder = newFolder();
  const user = newUser();
  const realm = `user:${user}`;

  test('ends neither the process nor the next start, and is named once', async () => {
    const first = await start(folder, `${chat}, ${count}`, args);
    const attacker = client(first, user);
    for (let n = 0; n < 8; n++) await append(attacker, realm, 'chat', swelling());
    await expect.poll(() => first.output(), { timeout: 60_000 }).toContain('is set apart');
    // All others go on: they are written, folded and told.
    for (let n = 0; n < 8; n++) await append(attacker, realm, 'count', n);
    await toldWithin(attacker, 'count').toBe(16);
    // It takes actions, as a stream that nobody folds, and is not folded again.
    for (let n = 0; n < 8; n++) await append(attacker, realm, 'chat', n);
    for (let n = 0; n < 8; n++) await append(attacker, realm, 'count', n);
    await toldWithin(attacker, 'count').toBe(32);
    expect(times(first, 'the chat is folded')).toBe(2);
    expect(times(first, 'is set apart')).toBe(1);
    expect(first.output()).toContain(`The stream "chat" of the realm "${realm}" is set apart`);
    const { body } = await history(attacker, realm, 'chat');
    expect((body.actions as Json[]).length).toBeGreaterThan(8);
    await first.stop();
    const second = await start(folder, `${chat}, ${count}`, args.slice(0, -1));
    const again = client(second, user);
    for (let n = 0; n < 8; n++) await append(again, realm, 'count', n);
    await toldWithin(again, 'count').toBe(40);
    expect([times(second, 'the chat is folded'), times(second, 'is set apart')]).toEqual([0, 0]);
    await second.stop();
  });

  test('is tried again by a new version, or if the operator says so', async () => {
    const more = ['--actions-per-snapshot', '8', '--reducer-memory', '512', '--retry-streams'];
    const third = await start(folder, `${chat}, ${count}`, more);
    await toldWithin(client(third, user), 'chat').toBe(24);
    await third.stop();
    const lengths = 'chat: { version: 2, initialState: 0, reducer: (n, next) => n + 1 }';
    const fourth = await start(folder, `${lengths}, ${count}`, args.slice(0, -1));
    await toldWithin(client(fourth, user), 'chat', 2).toBe(24);
    await fourth.stop();
  });
});

describe('a server', () => {
  test('that is killed takes the process of its reducers along', async () => {
    const folder = newFolder();
    const file = join(folder.path, 'pid');
    const endless = `endless: { initialState: 0, reducer: () => {
      process.getBuiltinModule('fs').writeFileSync(${JSON.stringify(file)}, String(process.pid));
      for (;;);
    } }`;
    const server = await start(folder, endless, ['--actions-per-snapshot', '1']);
    const user = newUser();
    await append(client(server, user), `user:${user}`, 'endless', 1);
    await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8')).toMatch(/^[0-9]+$/);
    const pid = Number(readFileSync(file, 'utf8'));
    await server.kill();
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  test.each([
    [
      'functions',
      () => ({ reducers: { count: { initialState: 0, reducer: (n: number) => n + 1 } } }),
    ],
    [
      'a module',
      (folder: Folder) => ({
        schemaModule: folder.schema(app, `export const reducers = { ${count} };`),
      }),
    ],
  ] as const)('of a program folds by %s', async (_, reducing) => {
    const folder = newFolder();
    const server = await createServer({
      ...{ schema: app, auth: { dev: true }, port: 0, actionsPerSnapshot: 5, data: folder.data },
      ...reducing(folder),
      database: await databaseOf(folder),
    });
    const user = newUser();
    const one = new WireClient(server.url, user);
    await append(one, `user:${user}`, 'count', 1, 2, 3, 4, 5);
    await toldWithin(one, 'count').toBe(1);
    await server.close();
  });

  test('of a program is given reducers in one way', async () => {
    const folder = newFolder();
    const both = { reducers: {}, schemaModule: folder.schema(app) };
    const options = { schema: app, auth: { dev: true }, data: folder.data, ...both };
    const database = await databaseOf(folder);
    await expect(createServer({ ...options, database })).rejects.toThrow('are both given');
  });

  test('answers at once while a reducer takes its time', async () => {
    const slow = `slow: { initialState: 0, reducer: (n) => {
      const until = performance.now() + 3_000;
      while (performance.now() < until);
      return n + 1;
    } }`;
    const server = await start(newFolder(), slow, ['--actions-per-snapshot', '2']);
    const user = newUser();
    const one = client(server, user);
    let isMade = false;
    const longestAnswer = async () => {
      let longest = 0;
      while (!isMade) {
        const began = performance.now();
        await client(server, user).pull();
        longest = Math.max(longest, performance.now() - began);
      }
      return longest;
    };
    await append(one, `user:${user}`, 'slow', 1, 2);
    const made = toldWithin(one, 'slow').toBe(1);
    const longest = longestAnswer();
    await made;
    isMade = true;
    expect(await longest).toBeLessThan(2_000);
  });
});

describe('a stream whose state is at its limit', () => {
  const folder = newFolder();
  const [user, stranger] = [newUser(), newUser()];
  const realm = `user:${user}`;
  const args = ['--actions-per-snapshot', '500', '--retention', '1'];
  const text = 'x'.repeat(1_000_000);
  let server: TestServer;

  test('takes no more actions, and says so; everything else goes on', async () => {
    server = await start(folder, `${chat}, ${count}`, args);
    const one = client(server, user);
    // 34 of them pass 32 MiB.
    for (let n = 0; n < 34; n++) await append(one, realm, 'chat', text);
    // A stream is looked at after every ten.
    let refused: unknown;
    await expect
      .poll(
        async () => {
          const answer = await one.send([appending(one, realm, 'chat', ['more'])]);
          [refused] = resultsOf(answer);
          return refused;
        },
        { timeout: 60_000 },
      )
      .toEqual(limited);
    const { detail } = refused as { detail: string };
    expect(detail).toMatch(/stream "chat" is at its limit, by version 1 .*may have 33554432/);
    expect(detail).toMatch(/Begin a new stream, or .* a version of the reducer that keeps less/);
    const again = client(server, user);
    const pushed = await again.send([
      appending(again, realm, 'chat', [1]),
      appending(again, 'public', 'chat', [1]),
    ]);
    expect(resultsOf(pushed)).toEqual([limited, 'applied']);
    const other = client(server, user);
    await append(other, realm, 'count', 1);
    // Who may not write there is told what anybody is told of a realm that is hidden.
    const foreign = client(server, stranger);
    const [hidden, missing] = [realm, 'user:nobody'].map((at) =>
      appending(foreign, at, 'chat', [1]),
    );
    const answers = await foreign.send([hidden as Json, missing as Json]);
    expect(resultsOf(answers).map((one) => (one as Json).code)).toEqual(['forbidden', 'forbidden']);
    // A part of it is in a snapshot, and forgotten.
    expect(await told(other, 'chat')).toBeGreaterThan(8);
    const first = async () => {
      const { body } = await history(other, realm, 'chat');
      return (body.actions as Json[])[0]?.revision;
    };
    await expect.poll(first).toBeGreaterThan(8);
  });

  test('leaves a rejected change in the inbox of its author, and no other', async () => {
    const db = await open({
      ...{ name: 'chat', schema: app, user, scopes: 'all' },
      host: memory({ transport: fetchTransport }),
      remote: http(`${server.url}/v1`, { token: async () => `dev:${user}` }),
    });
    const note = db.transact((tx) => tx.notes.create({ title: 'of the same push' }));
    const said = db.stream('chat', { keep: 1 }).append('more');
    await note.confirmed;
    await expect(said.confirmed).rejects.toMatchObject({ code: 'limit' });
    const inbox = db.conflicts.all();
    expect(inbox.map(({ code, reason }) => [code, reason])).toEqual([['limit', 'rejected']]);
    expect(inbox[0]?.detail).toContain('Begin a new stream');
    expect(db.sync.status.pending).toBe(0);
    await db.close();
  });

  test('takes none after a restart either, until a version keeps less', async () => {
    await server.stop();
    const same = await start(folder, `${chat}, ${count}`, args);
    const one = client(same, user);
    expect(resultsOf(await one.send([appending(one, realm, 'chat', [1])]))).toEqual([limited]);
    expect(times(same, 'the chat is folded')).toBe(0);
    await same.stop();
    const less = `chat: { version: 2, initialState: [], migrate: (all) => all.slice(-1),
      reducer: (all, next) => [next] }`;
    const newer = await start(folder, `${less}, ${count}`, args);
    const other = client(newer, user);
    await append(other, realm, 'chat', 1);
    await toldWithin(other, 'chat', 2).toBeGreaterThan(8);
  });
});
