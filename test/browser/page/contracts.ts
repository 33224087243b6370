// The contract suites of test/contract against the hosts that only a browser has all of. Node reads the names of the
// cases from this list, window and Worker run them by name; nothing is touched before a case runs.
import { accountsOf } from '../../../js/host/account.ts';
import { broadcastChannels } from '../../../js/host/channel.ts';
import { systemClock } from '../../../js/host/clock.ts';
import { fetchTransport } from '../../../js/host/fetch-transport.ts';
import { databaseSchema } from '../../../js/host/idb-schema.ts';
import { indexedDbStorage } from '../../../js/host/indexeddb.ts';
import { webLocks } from '../../../js/host/locks.ts';
import { systemRandom } from '../../../js/host/random.ts';
import { webSockets } from '../../../js/host/socket.ts';
import { closeLimitMs, readNow } from '../../../js/host/storage.ts';
import { systemTimers } from '../../../js/host/timers.ts';
import { type ContractCase, equal, ok, rejection, signal } from '../../contract/check.ts';
import {
  channelContract,
  clockContract,
  locksContract,
  randomContract,
  timersContract,
} from '../../contract/hosts.ts';
import { socketContract, transportContract } from '../../contract/network.ts';
import { storageContract } from '../../contract/storage.ts';
import { slow, updates, upgradeContract, writeUpdates } from '../../contract/upgrade.ts';
import { deletions } from './deletions.ts';

/** The addresses of a server that echoes, and of a closed port: `http://…` without a slash at the end. */
export interface Addresses {
  readonly base: string;
  readonly nowhere: string;
}

const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const toSocket = (url: string) => `${url.replace(/^http/, 'ws')}/`;

/** Engines close connections, of windows that were put aside above all, and do not always say so. */
const deadHandle: ContractCase = {
  name: 'IndexedDB: a connection that died without a word is replaced by a fresh one',
  async run() {
    const host = indexedDbStorage();
    const name = `skerry/contract/${Math.random().toString(36).slice(2)}`;
    const handles: IDBDatabase[] = [];
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function (...args) {
      const request = open.apply(this, args);
      // Not the small one (js/host/fresh-log.ts).
      if (args[0] === name) request.addEventListener('success', () => handles.push(request.result));
      return request;
    };
    try {
      const storage = await host.open(name, () => {});
      storage.putNow('sync', 'a', 'kept');
      // No other window is notified of such a close.
      for (const handle of handles) handle.close();
      for (let time = 0; time < 2; time++)
        equal(await readNow(storage, [{ store: 'sync', get: 'a' }]), ['kept']);
      equal(handles.length, 2, 'connections that were opened');
      storage.close();
    } finally {
      IDBFactory.prototype.open = open;
      await host.delete(name);
    }
  },
};

/** What was told to be durable would lie behind a torn record, and be lost with it. */
const freshLogFirst: ContractCase = {
  name: 'IndexedDB: reading does not wait for a fresh log, and what is written does',
  async run() {
    const name = `skerry/contract/${Math.random().toString(36).slice(2)}`;
    const begun = signal();
    const host = indexedDbStorage({ freshLog: () => begun.promise });
    const storage = await host.open(name, () => {});
    const request = { stores: ['sync'], mode: 'readwrite', reads: [] } as const;
    const put = { store: 'sync', key: 'a', put: 'written' } as const;
    const writing = storage.transact(request, () => ({ type: 'write', writes: [put] }));
    // Transactions come in the order in which they are begun.
    for (let time = 0; time < 2; time++)
      equal(await readNow(storage, [{ store: 'sync', get: 'a' }]), [null]);
    begun.fire();
    equal((await writing).committed, true);
    equal(await readNow(storage, [{ store: 'sync', get: 'a' }]), ['written']);
    storage.close();
    await host.delete(name);
  },
};

const endlessUpgrade: ContractCase = {
  name: 'IndexedDB: an upgrade that does not go on is given up, and has changed nothing',
  async run() {
    const name = `skerry/contract/${Math.random().toString(36).slice(2)}`;
    const host = indexedDbStorage();
    const old = await host.open(name, () => {});
    await writeUpdates(old);
    old.close();
    const late = indexedDbStorage({ schema: slow(200), upgradeLimitMs: 100 });
    equal((await rejection(late.open(name, () => {}))).code, 'storage_timeout');
    const again = await host.open(name, () => {});
    equal(await readNow(again, [{ store: 'updates', count: true }]), [updates]);
    again.close();
    await host.delete(name);
  },
};

const stoppedUpgrade: ContractCase = {
  name: 'IndexedDB: a window that waits for an upgrade that has stopped says so after a while',
  async run() {
    const name = `skerry/contract/${Math.random().toString(36).slice(2)}`;
    const channel = new BroadcastChannel(`${name}/upgrade`);
    const held = signal();
    const request = indexedDB.open(name, databaseSchema.length);
    // Like that of a window that was stopped: it stays, and no more is heard of it.
    request.onupgradeneeded = () => {
      const store = request.result.createObjectStore('sync');
      const hold = () => {
        store.count().onsuccess = hold;
      };
      hold();
      held.fire();
    };
    const aborted = new Promise((resolve) => {
      request.onerror = resolve;
    });
    await held.promise;
    const waiting = indexedDbStorage({ upgradeLimitMs: 300 }).open(name, () => {});
    // Once it listens.
    setTimeout(() => channel.postMessage(null));
    const error = await rejection(waiting);
    equal([error.code, (error as { retryable?: boolean }).retryable], ['storage_timeout', true]);
    ok(/Look at that window/.test(error.message), `what to do in "${error.message}"`);
    request.transaction?.abort();
    await aborted;
    channel.close();
    await indexedDbStorage().delete(name);
  },
};

const overtakenDeletion: ContractCase = {
  name: 'IndexedDB: a database that is upgraded in the moment before its deletion stays',
  async run() {
    const name = `skerry/contract/${Math.random().toString(36).slice(2)}`;
    const host = indexedDbStorage();
    (await host.open(name, () => {})).close();
    const deleting = rejection(host.delete(name));
    // It comes after the question which version it has.
    const newer = databaseSchema.length + 1;
    const request = indexedDB.open(name, newer);
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
    };
    equal((await deleting).code, 'storage_newer');
    await rejection(host.open(name, () => {}));
    const list = await indexedDB.databases();
    equal(list.find((info) => info.name === name)?.version, newer);
    const schema = [...databaseSchema, []];
    await indexedDbStorage({ schema }).delete(name);
  },
};

const leavingWindow: ContractCase = {
  name: 'IndexedDB: a window that makes way has as long for its changes as one that closes',
  async run() {
    const name = `skerry/contract/${Math.random().toString(36).slice(2)}`;
    const newer = indexedDbStorage({ schema: [...databaseSchema, []] });
    const { setTimeout: timeout } = globalThis;
    const stored = signal<boolean>();
    const old = await indexedDbStorage().open(name, () => {
      // After all timers that are shorter.
      setTimeout(() => {
        stored.fire(old.putNow('sync', 'late', true));
        old.close();
      });
    });
    const hurried = (run: () => void, ms = 0) => timeout(run, ms < closeLimitMs ? 0 : ms);
    globalThis.setTimeout = hurried as typeof setTimeout;
    try {
      const opened = await newer.open(name, () => {});
      equal(await stored.promise, true);
      equal(await readNow(opened, [{ store: 'sync', get: 'late' }]), [true]);
      opened.close();
    } finally {
      globalThis.setTimeout = timeout;
      await newer.delete(name);
    }
  },
};

export function browserContracts({ base, nowhere }: Addresses): ContractCase[] {
  const close = () => {};
  return [
    ...storageContract('IndexedDB', () => indexedDbStorage()),
    ...upgradeContract('IndexedDB', () => (options) => ({
      storage: indexedDbStorage(options),
      accounts: accountsOf(options.schema),
    })),
    deadHandle,
    freshLogFirst,
    endlessUpgrade,
    stoppedUpgrade,
    overtakenDeletion,
    leavingWindow,
    ...deletions,
    ...channelContract('BroadcastChannel', () => broadcastChannels),
    ...timersContract('system timers', () => ({ timers: systemTimers(), pass })),
    ...clockContract('system clock', () => ({ clock: systemClock, pass })),
    ...randomContract('system random', () => systemRandom),
    ...locksContract('Web Locks', () => {
      const locks = webLocks();
      if (!locks) throw new Error('this browser has no Web Locks');
      return locks;
    }),
    ...transportContract('fetch', () => ({ transport: fetchTransport, base, nowhere, close })),
    ...socketContract('WebSocket', () => ({
      sockets: webSockets,
      url: toSocket(base),
      nowhere: toSocket(nowhere),
      close,
    })),
  ];
}

/** Runs one case; resolves with what went wrong, or null. */
export async function runContract(addresses: Addresses, name: string): Promise<string | null> {
  const found = browserContracts(addresses).find((contract) => contract.name === name);
  if (!found) return `there is no case ${name}`;
  try {
    await found.run();
    return null;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? String(error)) : String(error);
  }
}
