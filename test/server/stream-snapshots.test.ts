// Goal: where the server has a stream's reducer, a newcomer loads one immutable snapshot and the actions after it, and folds
// the same state as whoever folded all of them. Method: real servers on both databases, over the wire and with the
// package's own clients; nodes that make the same snapshot at once, and one that is killed while it makes it.

import { afterAll, describe, expect, test } from 'vitest';
import { append, appending, argsOf, history, pull } from './support/appending.ts';
import { makeDatabase, postgresUrl } from './support/database.ts';
import { Folder, type Json, startServer, type TestServer, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const kPackage = new URL('../../dist/index.js', import.meta.url).href;
const kEvery = ['--dev', '--actions-per-snapshot', '5'];

/** Sums what is appended; throws on texts. */
const sum = (version: number, more = '') => `export const reducers = {
  'sum/*': {
    version: ${version}, initialState: { sum: 0, count: 0 }, ${more}
    reducer: (state, n) => {
      if (typeof n !== 'number') throw new Error('no number');
      return { sum: state.sum + n * ${version}, count: state.count + 1 };
    },
  },
};`;

const server = new SharedServer({ exports: sum(1), args: kEvery });
const seldom = new SharedServer({
  exports: sum(1),
  args: ['--dev', '--actions-per-snapshot', '500'],
});
let users = 0;
function someone(url = server.url): { realm: string; client: WireClient } {
  const user = `snap-${++users}`;
  return { realm: `user:${user}`, client: new WireClient(url, user) };
}

interface Told {
  readonly version: number;
  readonly revision: number;
  readonly hash: string;
}
/** The snapshot of an answer, with its revision. */
function toldBy(body: Json): Told | null {
  const item = (body.streams as Json[]).find(({ snapshot }) => snapshot !== undefined);
  return (item?.snapshot as Told | undefined) ?? null;
}
const asked = (stream: string, more: Json = {}) => [{ stream, version: 1, filled: {}, ...more }];

/** Pulls as a newcomer until the answer tells of a snapshot of this revision. */
async function toldOf(client: WireClient, stream: string, revision: number): Promise<Json> {
  let body: Json = {};
  await expect
    .poll(
      async () => {
        body = await pull(client, asked(stream));
        return toldBy(body)?.revision ?? 0;
      },
      { timeout: 20_000 },
    )
    .toBe(revision);
  return body;
}

const stateOf = (client: WireClient, realm: string, stream: string, told: Told) =>
  history(client, realm, stream, `/${told.version}/${told.revision}/${told.hash}`);

describe('a snapshot', () => {
  test('is announced to a new client in place of the actions that it includes', async () => {
    const { realm, client } = someone();
    for (let n = 1; n <= 5; n++) await append(client, realm, 'sum/a', n);
    const first = await toldOf(client, 'sum/a', 5);
    expect(argsOf(first)).toEqual([]);
    await append(client, realm, 'sum/a', 10, 20);
    const body = await pull(client, asked('sum/a'));
    const told = toldBy(body);
    expect(told).toEqual({ version: 1, revision: 5, hash: expect.stringMatching(/^[\da-f]{32}$/) });
    expect(argsOf(body)).toEqual([10, 20]);
    expect((body.streamsFilled as Json[])[0]?.filled).toMatchObject({ [realm]: 6 });
    const { status, headers, body: state } = await stateOf(client, realm, 'sum/a', told as Told);
    expect(status).toBe(200);
    expect(state).toEqual({ sum: 15, count: 5 });
    expect(headers.get('cache-control')).toMatch(/^private, immutable/);
    // Nothing is told to who has the actions, folds with another version, or does not fold.
    for (const other of [{ filled: { [realm]: 5 } }, { version: 2 }, { version: null }])
      expect(toldBy(await pull(client, asked('sum/a', other)))).toBeNull();
    const migrating = await pull(client, asked('sum/a', { version: 2, migrates: true }));
    expect(toldBy(migrating)).toEqual(told);
  });

  test('is sent only to readers of the realm, and only under its whole name', async () => {
    const { realm, client } = someone();
    for (let n = 1; n <= 5; n++) await append(client, realm, 'sum/a', n);
    const told = toldBy(await toldOf(client, 'sum/a', 5)) as Told;
    expect((await stateOf(someone().client, realm, 'sum/a', told)).status).toBe(404);
    for (const wrong of [{ hash: '00' }, { revision: 4 }, { version: 2 }])
      expect((await stateOf(client, realm, 'sum/a', { ...told, ...wrong })).status).toBe(404);
    expect((await stateOf(client, realm, 'sum/b', told)).status).toBe(404);
    expect((await history(client, realm, 'sum/a', '/1/x/00')).status).toBe(404);
  });

  test('leaves out the actions by which the reducer throws, and the log says so once', async () => {
    const { realm, client } = someone();
    for (const n of [1, 'one', 2, 'two', 3]) await append(client, realm, 'sum/a', n);
    const told = toldBy(await toldOf(client, 'sum/a', 5)) as Told;
    expect((await stateOf(client, realm, 'sum/a', told)).body).toEqual({ sum: 6, count: 3 });
    expect(server.output()).toMatch(/sum\/a \(version 1\) has left out 2 actions/);
  });

  test('goes on from the one before, and holds every entry whole', async () => {
    const { realm, client } = someone();
    for (let n = 1; n <= 5; n++) await append(client, realm, 'sum/a', 1);
    await toldOf(client, 'sum/a', 5);
    const updates = [1, 2, 3, 4, 5].map(() => appending(client, realm, 'sum/a', [1, 1, 1]));
    await client.send(updates);
    const told = toldBy(await toldOf(client, 'sum/a', 10)) as Told;
    expect((await stateOf(client, realm, 'sum/a', told)).body).toEqual({ sum: 20, count: 20 });
  });

  test('is made at once after one entry with all the actions that it takes', async () => {
    const { realm, client } = someone(seldom.url);
    const numbers = Array.from({ length: 500 }, () => 1);
    await append(client, realm, 'sum/a', ...numbers);
    const told = toldBy(await toldOf(client, 'sum/a', 1)) as Told;
    expect((await stateOf(client, realm, 'sum/a', told)).body).toEqual({ sum: 500, count: 500 });
  });

  test('of a stream without a reducer is never made', async () => {
    const { realm, client } = someone();
    for (let n = 1; n <= 6; n++) await append(client, realm, 'chat', n);
    for (let n = 1; n <= 5; n++) await append(client, realm, 'sum/a', n);
    await toldOf(client, 'sum/a', 11);
    expect(toldBy(await pull(client, asked('chat')))).toBeNull();
  });
});

describe('typed values', () => {
  const typed = new SharedServer(() => ({
    args: kEvery,
    exports: `
      import { schema, t, table } from ${JSON.stringify(kPackage)};
      class Money { constructor(cents) { this.cents = cents; } }
      export const app = schema({ prices: table({
        price: t.class('money', { to: ({ cents }) => cents, from: (cents) => new Money(cents), class: Money }),
      }) }, { version: 1 });
      export const reducers = { ledger: {
        initialState: { total: new Money(0), last: null },
        reducer: ({ total }, { price, at }) => {
          if (!(price instanceof Money && at instanceof Date)) throw new Error('plain values');
          return { total: new Money(total.cents + price.cents), last: at };
        },
      } };`,
    schema: null,
  }));

  test('reach the reducer as the application made them, and its state keeps them', async () => {
    const { realm, client } = someone(typed.url);
    const price = { $type: 'money', v: 250, version: 1 };
    for (let n = 1; n <= 5; n++)
      await append(client, realm, 'ledger', { price, at: { $type: 'date', v: n } });
    const told = toldBy(await toldOf(client, 'ledger', 5)) as Told;
    expect((await stateOf(client, realm, 'ledger', told)).body).toEqual({
      total: { $type: 'money', v: 1250, version: 1 },
      last: { $type: 'date', v: 5 },
    });
  });
});

describe('retention', () => {
  const short = new SharedServer({ exports: sum(1), args: [...kEvery, '--retention', '1'] });

  test('deletes actions that a snapshot includes, and all clients continue from it', async () => {
    const { realm, client } = someone(short.url);
    for (let n = 1; n <= 5; n++) await append(client, realm, 'sum/a', n);
    for (let n = 1; n <= 3; n++) await append(client, realm, 'chat', n);
    await toldOf(client, 'sum/a', 5);
    await append(client, realm, 'sum/a', 100);
    const left = async () => (await history(client, realm, 'sum/a')).body.actions as Json[];
    await expect.poll(async () => (await left()).length, { timeout: 20_000 }).toBe(1);
    // Who was in the middle, with a cursor and a place of before, who is new, and who has no reducer.
    const { cursors } = await pull(client, asked('chat'));
    const filled = { [realm]: 3 };
    for (const [streams, more] of [
      [asked('sum/a', { filled }), { cursors }],
      [asked('sum/a'), {}],
      [asked('sum/a', { version: null }), {}],
      [[{ stream: 'sum/*', filled }], {}],
    ] as const) {
      const body = await pull(client, streams, more);
      const told = toldBy(body) as Told;
      expect(told).toMatchObject({ version: 1, revision: 5 });
      expect(argsOf(body)).toEqual([100]);
      const { body: state } = await stateOf(client, realm, 'sum/a', told);
      expect(state).toEqual({ sum: 15, count: 5 });
    }
    // Who wants the last ones only is told where they begin.
    const last = await pull(client, [{ stream: 'sum/a', last: 10, filled: {} }]);
    expect(argsOf(last)).toEqual([100]);
    expect((last.streamsFilled as Json[])[0]?.from).toEqual({ [realm]: 5 });
    // Nobody folds the chat, so all of it stays.
    expect(((await history(client, realm, 'chat')).body.actions as Json[]).length).toBe(3);
    // The next snapshot goes on from the one before.
    await append(client, realm, 'sum/a', 1, 1, 1, 1, 1);
    const again = toldBy(await toldOf(client, 'sum/a', 10)) as Told;
    expect((await stateOf(client, realm, 'sum/a', again)).body).toEqual({ sum: 120, count: 11 });
  });
});

describe('a server that starts again', () => {
  const folder = new Folder();
  const running: TestServer[] = [];
  afterAll(async () => {
    for (const one of running) await one.stop();
    folder.remove();
  });
  const start = async (exports: string, args = kEvery) => {
    const started = await startServer(folder, folder.schema(undefined, exports), { args });
    running.push(started);
    return started;
  };

  test('makes those that are due, and takes states of an earlier version over', async () => {
    const first = await start('');
    const { realm, client } = someone(first.url);
    for (let n = 1; n <= 7; n++) await append(client, realm, 'sum/a', n);
    expect(toldBy(await pull(client, asked('sum/a')))).toBeNull();
    await first.stop();
    const second = await start(sum(1));
    const again = new WireClient(second.url, client.user);
    const told = toldBy(await toldOf(again, 'sum/a', 7)) as Told;
    expect((await stateOf(again, realm, 'sum/a', told)).body).toEqual({ sum: 28, count: 7 });
    await second.stop();
    const migrate = 'migrate: ({ sum, count }, from) => ({ sum: sum * 2, count, from }),';
    const third = await start(sum(2, migrate));
    const newer = new WireClient(third.url, client.user);
    const body = () => pull(newer, asked('sum/a', { version: 2 }));
    await expect.poll(async () => toldBy(await body())?.version).toBe(2);
    const migrated = toldBy(await body()) as Told;
    expect((await stateOf(newer, realm, 'sum/a', migrated)).body).toEqual({
      ...{ sum: 56, count: 7, from: 1 },
    });
    // Clients of before still load theirs.
    expect(toldBy(await pull(newer, asked('sum/a')))).toEqual(told);
  });

  test('does not start with a new version that cannot go on where actions are gone', async () => {
    for (const one of running.splice(0)) await one.stop();
    const first = await start(sum(2), [...kEvery, '--retention', '1']);
    const { realm, client } = someone(first.url);
    for (let n = 1; n <= 5; n++) await append(client, realm, 'sum/gone', n);
    await expect
      .poll(async () => (await history(client, realm, 'sum/gone')).body.actions, {
        timeout: 20_000,
      })
      .toEqual([]);
    await first.stop();
    // The stream of the test before may be the one that is named.
    const gone = /"sum\/(gone|a)".*has forgotten actions.*version 3/;
    await expect(start(sum(3))).rejects.toThrow(gone);
    await expect(start(sum(1))).rejects.toThrow(/has forgotten actions/);
    const next = await start(sum(3, 'migrate: (state) => state,'));
    const newcomer = new WireClient(next.url, client.user);
    const body = () => pull(newcomer, asked('sum/gone', { version: 3 }));
    await expect.poll(async () => toldBy(await body())?.version, { timeout: 20_000 }).toBe(3);
  });

  test('refuses reducers that are none', async () => {
    for (const one of running.splice(0)) await one.stop();
    for (const [exports, reason] of [
      ['export const reducers = [];', /`reducers` is no object/],
      ['export const reducers = { a: { initialState: 1 } };', /"a" has no `reducer`/],
      ['export const reducers = { a: { reducer() {}, initialState: 1, version: 0 } };', /version/],
    ] as const)
      await expect(start(exports)).rejects.toThrow(reason);
  });
});

describe('two nodes', () => {
  const folders = [new Folder(), new Folder()] as const;
  const nodes: TestServer[] = [];
  afterAll(async () => {
    for (const node of nodes) await node.kill();
    for (const folder of folders) folder.remove();
  });

  test.runIf(postgresUrl !== undefined)(
    'that make the same snapshot at once keep one; a killed one leaves none',
    { timeout: 60_000 },
    async () => {
      const url = await makeDatabase(postgresUrl as string, 'skerry_two_snapshots');
      const start = async (folder: Folder, delayMs: number) => {
        // A slow reducer: both nodes are in the middle when the other one begins.
        const slow = sum(1).replace(
          "if (typeof n !== 'number')",
          `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${delayMs}); if (typeof n !== 'number')`,
        );
        const node = await startServer(folder, folder.schema(undefined, slow), {
          ...{ args: kEvery, env: { DATABASE_URL: url } },
        });
        nodes.push(node);
        return node;
      };
      const plain = await startServer(folders[0], folders[0].schema(), {
        ...{ args: kEvery, env: { DATABASE_URL: url } },
      });
      const { realm, client } = someone(plain.url);
      await client.send(
        Array.from({ length: 40 }, () => appending(client, realm, 'sum/a', [1, 2, 3])),
      );
      await plain.stop();
      // 120 actions take more than a second.
      const killed = await start(folders[0], 10);
      await killed.kill();
      const [one, two] = await Promise.all([start(folders[0], 2), start(folders[1], 2)]);
      const told = await Promise.all(
        [one, two].map(async (node) => {
          const newcomer = new WireClient(node.url, client.user);
          const body = await toldOf(newcomer, 'sum/a', 40);
          const snapshot = toldBy(body) as Told;
          const { body: state } = await stateOf(newcomer, realm, 'sum/a', snapshot);
          return { snapshot, state };
        }),
      );
      expect(told[0]).toEqual(told[1]);
      expect(told[0]?.state).toEqual({ sum: 240, count: 120 });
    },
  );
});
