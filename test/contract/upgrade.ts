/**
 * The contract of js/host/storage.ts where windows of two releases meet at one database (js/host/idb-schema.ts), with
 * versions that only these tests have. Each case uses a database of its own.
 */
import type { AccountHost } from '../../js/host/account-host.ts';
import { type DatabaseSchema, databaseSchema } from '../../js/host/idb-schema.ts';
import {
  readNow,
  type Storage,
  type StorageEnd,
  type StorageHost,
  type Write,
} from '../../js/host/storage.ts';
import { type ContractCase, equal, ok, rejection, signal } from './check.ts';

/** A release: what opens and what leaves an account, of one profile. */
export interface Release {
  readonly storage: StorageHost;
  readonly accounts: AccountHost;
}

export interface ReleaseOptions {
  readonly schema: DatabaseSchema;
  readonly timeLimitMs?: number;
  readonly upgradeLimitMs?: number;
  readonly leaveLimitMs?: number;
}

interface Stored {
  readonly v: number;
  readonly text: string;
}

const release1 = databaseSchema;
/** Adds a store, and rewrites a record. */
const release2: DatabaseSchema = [
  ...release1,
  [
    { addStore: 'added', autoIncrement: true },
    {
      rewrite: 'sync',
      change: (value, key) =>
        key === 'format' ? { v: 2, text: (value as Stored).text.toUpperCase() } : undefined,
    },
  ],
];
/** Goes by what the one before it has made. */
const release3: DatabaseSchema = [
  ...release2,
  [
    {
      rewrite: 'sync',
      change: (value, key) =>
        key === 'format' ? { v: 3, text: `${(value as Stored).text}!` } : undefined,
    },
  ],
];
const failing: DatabaseSchema = [
  ...release2.slice(0, -1),
  [
    ...(release2.at(-1) ?? []),
    {
      rewrite: 'updates',
      change: () => {
        throw new Error('by order of the test');
      },
    },
  ],
];

/** It takes so long for each record of `updates`. */
export const slow = (ms: number): DatabaseSchema => [
  ...release1,
  [
    {
      rewrite: 'updates',
      change() {
        const end = performance.now() + ms;
        while (performance.now() < end);
      },
    },
  ],
];

const stores = ['mutations', 'outbox', 'updates', 'sync', 'conflicts'];

function write(storage: Storage, writes: readonly Write[]) {
  const used = [...new Set(writes.map(({ store }) => store))];
  return storage.transact(
    { mode: 'readwrite', durability: 'strict', reads: [], stores: used },
    () => ({ type: 'write', writes }),
  );
}

const format: Write = { store: 'sync', put: { v: 1, text: 'text' }, key: 'format' };
const first: readonly Write[] = [
  format,
  { store: 'sync', put: { v: 1, other: true }, key: 'other' },
  { store: 'mutations', add: { v: 1, bytes: Uint8Array.of(1, 2) } },
  { store: 'mutations', add: { v: 1, name: 'second' } },
  { store: 'outbox', put: { v: 1, body: 'sent' }, key: 'id' },
  { store: 'updates', put: { v: 1, n: 1 }, key: 1 },
  { store: 'conflicts', add: { v: 1, code: 'unique' } },
];

export const updates = 20;

export async function writeUpdates(storage: Storage): Promise<void> {
  const put = { v: 1 };
  await write(
    storage,
    Array.from({ length: updates }, (_, at) => ({ store: 'updates', put, key: at + 1 })),
  );
}

/** All that is stored, but what distinguishes this database from others. */
async function everything(storage: Storage): Promise<readonly unknown[]> {
  const all = await readNow(
    storage,
    stores.map((store) => ({ store, range: {} })),
  );
  return all.map((rows) => (rows as { key: unknown }[]).filter(({ key }) => key !== 'made'));
}

async function formatOf(storage: Storage): Promise<unknown> {
  const [found] = await readNow(storage, [{ store: 'sync', get: 'format' }]);
  return found;
}

/** A window: its storage, and what it was notified of. */
interface Window {
  readonly storage: Storage;
  readonly ends: StorageEnd[];
}

interface Stage {
  readonly name: string;
  of(options: ReleaseOptions): Release;
  /** What `onEnd` does is the window's answer to its end. */
  open(options: ReleaseOptions, onEnd?: (storage: Storage) => void): Promise<Window>;
}

export function upgradeContract(
  kind: string,
  profile: () => (options: ReleaseOptions) => Release,
): ContractCase[] {
  const contractCase = (title: string, body: (stage: Stage) => Promise<void>): ContractCase => ({
    name: `${kind}: ${title}`,
    async run() {
      const of = profile();
      const name = `skerry/upgrade/${Math.random().toString(36).slice(2)}`;
      const opened: Storage[] = [];
      const open: Stage['open'] = async (options, onEnd) => {
        const ends: StorageEnd[] = [];
        const storage = await of(options).storage.open(name, (end) => {
          ends.push(end);
          onEnd?.(storage);
        });
        opened.push(storage);
        return { storage, ends };
      };
      try {
        await body({ name, of, open });
      } finally {
        for (const storage of opened) storage.close();
        await of({ schema: release3 }).storage.delete(name);
      }
    },
  });
  return [
    ...plainCases(contractCase),
    ...meetingCases(contractCase),
    ...blockedCases(contractCase),
    ...downgradeCases(contractCase),
  ];
}

type Make = (title: string, body: (stage: Stage) => Promise<void>) => ContractCase;

const plainCases = (contractCase: Make): ContractCase[] => [
  contractCase(
    'an upgrade adds its store, rewrites its record and keeps the rest',
    async (stage) => {
      const { storage: old } = await stage.open({ schema: release1 });
      const { keys } = await write(old, first);
      const before = await everything(old);
      old.close();
      const { storage, ends } = await stage.open({ schema: release2 });
      equal(await formatOf(storage), { v: 2, text: 'TEXT' });
      await write(storage, [format]);
      equal(await everything(storage), before);
      equal((await write(storage, [{ store: 'added', add: { v: 1 } }])).keys, [1]);
      const again = await write(storage, [{ store: 'mutations', add: { v: 1 } }]);
      ok((again.keys[0] as number) > (keys[1] as number), 'a key that was never used');
      equal(ends, []);
    },
  ),
  contractCase(
    'a database that is two versions behind takes both steps in order',
    async (stage) => {
      const { storage: old } = await stage.open({ schema: release1 });
      await write(old, first);
      old.close();
      const { storage } = await stage.open({ schema: release3 });
      equal(await formatOf(storage), { v: 3, text: 'TEXT!' });
    },
  ),
  contractCase('a new database has the stores of all versions', async (stage) => {
    const { storage } = await stage.open({ schema: release3 });
    await write(storage, [...first, { store: 'added', add: { v: 1 } }]);
    equal(await formatOf(storage), { v: 1, text: 'text' });
  }),
  contractCase('to open it again upgrades as well, and loses nothing', async (stage) => {
    const { storage: old } = await stage.open({ schema: release1 });
    await write(old, first);
    old.close();
    const ends: StorageEnd[] = [];
    const { storage: host } = stage.of({ schema: release2 });
    const storage = await host.reopen(stage.name, (end) => ends.push(end));
    equal(await formatOf(storage), { v: 2, text: 'TEXT' });
    storage.close();
    equal(ends, []);
  }),
  contractCase('an upgrade may take longer than opening does', async (stage) => {
    const { storage: old } = await stage.open({ schema: release1 });
    await writeUpdates(old);
    old.close();
    // Its limit is for each step.
    const limits = { timeLimitMs: 600, upgradeLimitMs: 600 };
    const { storage } = await stage.open({ schema: slow(60), ...limits });
    equal(await readNow(storage, [{ store: 'updates', count: true }]), [updates]);
  }),
  contractCase('an upgrade that fails leaves the version before, whole', async (stage) => {
    const { storage: old } = await stage.open({ schema: release1 });
    await write(old, first);
    const before = await everything(old);
    old.close();
    const error = await rejection(stage.open({ schema: failing }));
    equal(error.code, 'storage_failed');
    ok(error.message.includes('by order of the test'), `its reason in "${error.message}"`);
    const { storage: again } = await stage.open({ schema: release1 });
    equal(await everything(again), before);
    again.close();
    equal(await formatOf((await stage.open({ schema: release2 })).storage), { v: 2, text: 'TEXT' });
  }),
];

const meetingCases = (contractCase: Make): ContractCase[] => [
  contractCase('an open window stores what it was given, then makes way', async (stage) => {
    const left = signal();
    const old = await stage.open({ schema: release1 }, (storage) => {
      const put = { v: 1, other: 'stored while leaving' };
      void write(storage, [{ store: 'sync', put, key: 'other' }]).then(() => {
        storage.close();
        left.fire();
      });
    });
    await write(old.storage, first);
    const under = write(old.storage, [{ store: 'outbox', put: { v: 1 }, key: 'under way' }]);
    const { storage } = await stage.open({ schema: release2 });
    await Promise.all([under, left.promise]);
    equal(old.ends, ['newer-version']);
    equal((await rejection(formatOf(old.storage))).code, 'closed');
    const [other, outbox] = await readNow(storage, [
      { store: 'sync', get: 'other' },
      { store: 'outbox', get: 'under way' },
    ]);
    equal([other, outbox], [{ v: 1, other: 'stored while leaving' }, { v: 1 }]);
    equal(await formatOf(storage), { v: 2, text: 'TEXT' });
  }),
  contractCase('a window that does nothing about it is closed after a moment', async (stage) => {
    const old = await stage.open({ schema: release1, leaveLimitMs: 50 });
    await write(old.storage, first);
    const { storage } = await stage.open({ schema: release2 });
    equal(old.ends, ['newer-version']);
    equal((await rejection(formatOf(old.storage))).code, 'closed');
    equal(await formatOf(storage), { v: 2, text: 'TEXT' });
  }),
  contractCase('a suspended window blocks no upgrade, and learns of it later', async (stage) => {
    const old = await stage.open({ schema: release1 });
    await write(old.storage, first);
    old.storage.suspend();
    const { storage } = await stage.open({ schema: release2 });
    equal(old.ends, []);
    old.storage.resume();
    await rejection(formatOf(old.storage));
    equal(old.ends, ['newer-version']);
    equal((await rejection(formatOf(old.storage))).code, 'closed');
    equal(await formatOf(storage), { v: 2, text: 'TEXT' });
  }),
  contractCase('to leave an account is no upgrade', async (stage) => {
    const window = await stage.open({ schema: release2 });
    const { accounts } = stage.of({ schema: release2 });
    equal(await accounts.deleteIf(stage.name, [], () => false), false);
    equal(window.ends, ['deleted-or-upgraded']);
    const { storage } = await stage.open({ schema: release2 });
    await write(storage, [{ store: 'added', add: { v: 1 } }]);
    equal(
      await accounts.deleteIf(stage.name, [{ store: 'added', count: true }], ([n]) => n === 1),
      true,
    );
    equal(await accounts.exists(stage.name), false);
  }),
];

const blockedCases = (contractCase: Make): ContractCase[] => [
  contractCase('windows of one release that open at once wait for one upgrade', async (stage) => {
    const { storage: old } = await stage.open({ schema: release1 });
    await writeUpdates(old);
    old.close();
    const options = { schema: slow(30), timeLimitMs: 300, upgradeLimitMs: 300 };
    const windows = await Promise.all([stage.open(options), stage.open(options)]);
    for (const { storage, ends } of windows) {
      equal(await readNow(storage, [{ store: 'updates', count: true }]), [updates]);
      equal(ends, []);
    }
  }),
  contractCase('a window that stays blocks the upgrade for a while only', async (stage) => {
    const old = await stage.open({ schema: release1, leaveLimitMs: 60_000 });
    await write(old.storage, first);
    const error = await rejection(stage.open({ schema: release2, timeLimitMs: 300 }));
    equal([error.code, (error as { retryable?: boolean }).retryable], ['storage_blocked', true]);
    ok(/close them/.test(error.message), `what to do in "${error.message}"`);
    equal(await formatOf(old.storage), { v: 1, text: 'text' });
    // What was refused does not happen later.
    old.storage.close();
    const { storage: again } = await stage.open({ schema: release1 });
    equal(await formatOf(again), { v: 1, text: 'text' });
    again.close();
    const { storage } = await stage.open({ schema: release2 });
    equal(await formatOf(storage), { v: 2, text: 'TEXT' });
  }),
];

const downgradeCases = (contractCase: Make): ContractCase[] => [
  contractCase('an older release touches nothing of a newer database', async (stage) => {
    const { storage, ends } = await stage.open({ schema: release2 });
    await write(storage, [...first, { store: 'added', add: { v: 2 } }]);
    const before = await everything(storage);
    const older = stage.of({ schema: release1 });
    const losses: StorageEnd[] = [];
    const refused: readonly (() => Promise<unknown>)[] = [
      () => older.storage.open(stage.name, (end) => losses.push(end)),
      () => older.storage.reopen(stage.name, (end) => losses.push(end)),
      () => older.storage.delete(stage.name),
      () => older.accounts.deleteIf(stage.name, [], () => true),
    ];
    for (const call of refused) {
      const error = await rejection(call());
      equal([error.name, error.code], ['StorageError', 'storage_newer']);
      ok(/newer version of this application/.test(error.message), `why in "${error.message}"`);
      ok(/Load the page again.*taken back/.test(error.message), `help in "${error.message}"`);
    }
    equal(losses, ['newer-version', 'newer-version']);
    equal(ends, [], 'what the newer window was notified of');
    equal(await everything(storage), before);
    equal(await readNow(storage, [{ store: 'added', count: true }]), [1]);
  }),
];
