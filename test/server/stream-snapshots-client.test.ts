// Goal: a device that is new to a long stream loads one snapshot and the actions after it, works from them offline, and shows
// what every other device shows, pending actions included. Method: the package's own clients, against the real server.

import { http, open, schema, t, table } from 'skerry';
import { fetchTransport, type MemoryHost, memory } from 'skerry/testing';
import { afterEach, expect, test } from 'vitest';
import { WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const app = schema({ notes: table({ title: t.string() }) }, { version: 1 });

interface Added {
  readonly add: number;
}
interface State {
  readonly sum: number;
  readonly count: number;
  readonly of?: number;
}
const first: State = { sum: 0, count: 0 };
const reducer = ({ sum, count }: State, { add }: Added): State => ({
  sum: sum + add,
  count: count + 1,
});
const options = { reducer, initialState: first };

const server = new SharedServer({
  schema: app,
  args: ['--dev', '--actions-per-snapshot', '20'],
  exports: `export const reducers = { ledger: {
    initialState: { sum: 0, count: 0 },
    reducer: ({ sum, count }, { add }) => ({ sum: sum + add, count: count + 1 }),
  } };`,
});
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

let people = 0;
const newUser = () => `folding-${++people}`;

/** A device; `paths` has what it asks of the server. */
class Device {
  readonly paths: string[] = [];
  isOnline = true;
  readonly host: MemoryHost;
  readonly user: string;

  constructor(user: string) {
    this.user = user;
    this.host = memory({
      workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
      transport: {
        request: (request) => {
          this.paths.push(new URL(request.url).pathname);
          if (!this.isOnline) return Promise.reject(new Error('offline'));
          return fetchTransport.request(request);
        },
      },
    });
  }

  async open() {
    const db = await open({
      ...{ name: 'ledger', schema: app, host: this.host, user: this.user, scopes: 'all' },
      remote: http(`${server.url}/v1`, { token: async () => `dev:${this.user}` }),
    });
    opened.push(db);
    return db;
  }

  get states(): number {
    return this.paths.filter((path) => path.includes('/ledger/')).length;
  }
}

async function confirmed(db: Awaited<ReturnType<Device['open']>>): Promise<void> {
  await expect
    .poll(
      async () => {
        await db.sync.now();
        return db.sync.status.pending;
      },
      { timeout: 20_000 },
    )
    .toBe(0);
}

/** Waits until the server tells of a snapshot. */
async function snapshotOf(user: string): Promise<void> {
  const wire = new WireClient(server.url, user);
  const streams = [{ stream: 'ledger', version: 1, filled: {} }];
  await expect
    .poll(async () => JSON.stringify((await wire.pull({ streams })).body.streams))
    .toContain('"snapshot"');
}

test('a new device loads a snapshot and a tail, and needs no network after that', async () => {
  const user = newUser();
  const author = await new Device(user).open();
  const ledger = author.stream<State, Added>('ledger', options);
  for (let i = 1; i <= 4; i++) {
    for (let n = 0; n < 15; n++) ledger.dispatch({ add: i });
    await confirmed(author);
  }
  expect(ledger.value).toEqual({ sum: 150, count: 60 });
  await snapshotOf(user);

  const device = new Device(user);
  const db = await device.open();
  const mine = db.stream<State, Added>('ledger', options);
  mine.dispatch({ add: 1000 });
  expect(mine.value).toEqual({ sum: 1000, count: 1 });
  await confirmed(db);
  await expect.poll(() => mine.value, { timeout: 20_000 }).toEqual({ sum: 1150, count: 61 });
  expect(mine.whole).toBe(true);
  expect(device.states).toBe(1);
  await db.close();

  // From a cold start, offline: the state is on the device.
  device.isOnline = false;
  const again = await device.open();
  const offline = again.stream<State, Added>('ledger', options);
  await expect.poll(() => offline.value).toEqual({ sum: 1150, count: 61 });
  expect(device.states).toBe(1);
  await author.sync.now();
  await expect.poll(() => ledger.value).toEqual({ sum: 1150, count: 61 });
});

test('a newer reducer that takes states over begins with the snapshot of before', async () => {
  const user = newUser();
  const author = await new Device(user).open();
  const ledger = author.stream<State, Added>('ledger', options);
  for (let n = 0; n < 25; n++) {
    ledger.dispatch({ add: 1 });
    if (n % 5 === 4) await confirmed(author);
  }
  await snapshotOf(user);
  const device = new Device(user);
  const db = await device.open();
  const migrated = db.stream<State, Added>('ledger', {
    ...options,
    version: 2,
    migrate: (state: State, of: number) => ({ ...state, of }),
    reducer: (state: State, action: Added) => ({ ...reducer(state, action), of: state.of ?? 0 }),
  });
  await expect.poll(() => migrated.whole, { timeout: 20_000 }).toBe(true);
  // One without `migrate` folds all actions.
  const other = new Device(user);
  const others = await other.open();
  const alone = others.stream<State, Added>('ledger', { ...options, version: 2 });
  await expect.poll(() => alone.value, { timeout: 20_000 }).toEqual({ sum: 25, count: 25 });
  expect(other.states).toBe(0);
  expect(device.states).toBe(1);
  expect(migrated.value).toEqual({ sum: 25, count: 25, of: 1 });
});
