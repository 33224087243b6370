// The bare page of the tests: it opens nothing by itself. Tests reach everything through `globalThis.kit`, and the
// database that they opened through `globalThis.db`.
import {
  defineMutators,
  deleteDatabase,
  http,
  type Mutation,
  type OpenOptions,
  open,
  type Scope,
  SkerryError,
} from 'skerry';
import { changedApp } from './changed-schema.ts';
import { hostWith, joinHub } from './hub.ts';
import { newerApp } from './newer-schema.ts';
import { renamedApp } from './renamed-schema.ts';
import { ruledApp } from './ruled-schema.ts';
import { app, type tables } from './schema.ts';
import { storesHolding } from './search.ts';
import { sharedApp } from './shared-schema.ts';
import { shiftClock } from './shift-clock.ts';

const mutators = defineMutators(app, {
  addNote: (tx, arg: { title: string; body?: string; list?: string }) => tx.notes.create(arg),
  editNote: (tx, arg: { id: string; patch: { title?: string; body?: string; rank?: number } }) =>
    tx.notes.update(arg.id, arg.patch),
  bump: (tx, arg: { id: string }) => tx.notes.inc(arg.id, { rank: 1 }),
  deleteNote: (tx, arg: { id: string }) => tx.notes.delete(arg.id),
  addList: (tx, arg: { name: string; slug?: string }) => tx.lists.create(arg),
  editList: (tx, arg: { id: string; patch: { name?: string; slug?: string } }) =>
    tx.lists.update(arg.id, arg.patch),
});

export interface StartOptions {
  readonly name?: string;
  readonly user?: string;
  /** Of a `changed` or `renamed` one `db` has other tables than its type says. */
  readonly schema?: 'app' | 'newer' | 'changed' | 'renamed' | 'shared' | 'ruled';
  /** Without a server. */
  readonly local?: boolean;
  /** Without a user. */
  readonly anonymous?: boolean;
  readonly adoptLocal?: boolean;
  /** What the client wants: everything, or the notes of at least some rank. */
  readonly minRank?: number;
  /** Instead: the notes of the lists with this name. */
  readonly notesOf?: string;
  /**
   * What the callback for tokens gives, one after the other, the last one for ever; `dev:<user>` by default. `fails`: it
   * rejects. Tests may put others into `kit.tokens`.
   */
  readonly tokens?: readonly (string | null)[];
  /** As in `open`. */
  readonly serviceWorker?: boolean | string;
  readonly keepToken?: boolean;
  /** An address of this site. */
  readonly workerUrl?: string;
  /** How far the clock of this window and its Worker is off. */
  readonly clockShiftMs?: number;
  /** Other pauses and time limits of the sync worker than the production's. */
  readonly times?: Readonly<Record<string, number>>;
}

const schemas = {
  app,
  newer: newerApp,
  changed: changedApp as unknown as typeof app,
  renamed: renamedApp as unknown as typeof app,
  shared: sharedApp as unknown as typeof app,
  ruled: ruledApp as unknown as typeof app,
};

/** What happened to the database since it was opened. */
interface Happened {
  /** Why a token was asked for, each time. */
  readonly tokens: string[];
  readonly updateNeeded: string[];
  readonly dataLost: string[];
  readonly storageFailed: string[];
  readonly closed: string[];
}

/** How a call ended, as plain data: errors lose their class on the way to the test. */
export type Outcome =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly name: string;
      readonly code: string;
      readonly message: string;
      readonly typed: boolean;
    };

const happened: Happened = {
  tokens: [],
  updateNeeded: [],
  dataLost: [],
  storageFailed: [],
  closed: [],
};

async function openTest(options: StartOptions = {}) {
  const { name = 'test', user = 'tester', schema = 'app', local = false } = options;
  const { serviceWorker = false, keepToken = true, anonymous = false } = options;
  kit.tokens = [...(options.tokens ?? [`dev:${user}`])];
  const token = async (why: string) => {
    happened.tokens.push(why);
    const next = (kit.tokens.length > 1 ? kit.tokens.shift() : kit.tokens[0]) ?? null;
    if (next === 'fails') throw new Error('nobody has logged in');
    return next;
  };
  const { clockShiftMs, minRank, notesOf } = options;
  if (clockShiftMs) shiftClock(clockShiftMs);
  const shifted = clockShiftMs ? `/shifted-worker.js?ms=${clockShiftMs}` : undefined;
  const workerUrl = options.workerUrl ?? shifted;
  let scopes: OpenOptions<typeof tables, typeof mutators>['scopes'] = 'all';
  if (minRank !== undefined) scopes = (q) => [q.notes.where('rank', '>=', minRank)];
  if (notesOf !== undefined)
    scopes = (q) => [q.notes.where((b) => b.related('list', (l) => l.where('name', '=', notesOf)))];
  const db = await open({
    name,
    ...(anonymous ? {} : { user }),
    adoptLocal: options.adoptLocal ?? false,
    schema: schemas[schema],
    mutators,
    defaultRealm: 'public',
    ...(local ? {} : { remote: http('/v1', { token, keepToken }), scopes }),
    serviceWorker,
    ...(options.times ? { host: hostWith(options.times) } : {}),
    ...(workerUrl ? { workerUrl: new URL(workerUrl, location.href) } : {}),
    onUpdateNeeded: ({ reason }) => happened.updateNeeded.push(reason),
  });
  db.on('dataLost', ({ detail }) => happened.dataLost.push(detail));
  db.on('closed', ({ reason }) => happened.closed.push(reason));
  db.on('storageFailed', ({ error }) => happened.storageFailed.push(error.code));
  return db;
}
export type TestDatabase = Awaited<ReturnType<typeof openTest>>;

function describe(error: unknown): Outcome {
  const { name, code, message } = error as SkerryError;
  return { ok: false, name, code, message, typed: error instanceof SkerryError };
}

/** How a call ends, now or when its promise settles. */
async function outcome(call: () => unknown): Promise<Outcome> {
  try {
    await call();
    return { ok: true };
  } catch (error) {
    return describe(error);
  }
}

/** Chromium and Firefox compress what they store. */
function randomText(length: number): string {
  const bytes = new Uint8Array(length);
  // Not more at a time: the engines refuse it.
  for (let at = 0; at < length; at += 65_536)
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return Array.from(bytes, (byte) => String.fromCharCode(32 + (byte & 63))).join('');
}

/** All rows that the database shows, as text in a stable order: equal texts are equal byte for byte. */
function everything(): string {
  return JSON.stringify([db.lists.orderBy('id').all(), db.notes.orderBy('id').all()]);
}

/** The rows of a table, which another schema than `app` may have, as text in a stable order. */
function rowsOf(table: string): string {
  const tables = db as unknown as Record<string, typeof db.notes>;
  return JSON.stringify(tables[table]?.orderBy('id').all() ?? null);
}

function openRaw(name: string, version?: number): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Replaces every file of every image by what `damage` makes of its bytes; gives the number of files. */
async function damageImages(damage: (bytes: Uint8Array) => Uint8Array): Promise<number> {
  let count = 0;
  for (const { name } of await indexedDB.databases()) {
    if (!name?.startsWith('/skerry/')) continue;
    const raw = await openRaw(name);
    const tx = raw.transaction('FILE_DATA', 'readwrite');
    const store = tx.objectStore('FILE_DATA');
    const done = new Promise<void>((resolve, reject) => {
      tx.oncomplete = () => resolve();
      tx.onabort = () => reject(tx.error);
    });
    const keys = store.getAllKeys();
    const values = store.getAll();
    values.onsuccess = () => {
      values.result.forEach((entry: { contents?: Uint8Array }, i) => {
        const { contents } = entry;
        if (!contents) return;
        const bytes = new Uint8Array(contents.buffer, contents.byteOffset, contents.byteLength);
        store.put({ ...entry, contents: damage(bytes.slice()) }, keys.result[i]);
        count++;
      });
    };
    await done;
    raw.close();
  }
  return count;
}

/** The names of all databases of a user, and of those of their images. */
async function databasesOf(user: string): Promise<string[]> {
  const all = await indexedDB.databases();
  const names = all.map(({ name = '' }) => name);
  return names.filter((name) => `${name}/`.includes(`skerry/test/${user}/`)).sort();
}

/** All values of a store of the database, read past the package. */
async function stored(
  store: string,
  { name = 'test', user = 'tester' }: StartOptions = {},
): Promise<unknown[]> {
  const raw = await openRaw(`skerry/${name}/${user}`);
  const request = raw.transaction(store).objectStore(store).getAll();
  const values = await new Promise<unknown[]>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  raw.close();
  return values;
}

const pageKit = {
  app,
  happened,
  tokens: [] as (string | null)[],
  /** For a test to keep what it goes on with. */
  scope: null as unknown as Scope,
  made: null as unknown as Mutation<unknown>,
  /** For a test to note what a live query gave it. */
  counts: [] as number[],
  open,
  http,
  deleteDatabase,
  outcome,
  everything,
  rowsOf,
  openRaw,
  randomText,
  databasesOf,
  damageImages,
  stored,
  storesHolding,
  /** Opens a database and leaves it in `globalThis.db`. */
  async start(options?: StartOptions): Promise<void> {
    globalThis.db = await openTest(options);
  },
};
export type Kit = typeof pageKit;

declare global {
  var kit: Kit;
  var db: TestDatabase;
}
globalThis.kit = pageKit;
joinHub();
