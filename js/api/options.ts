/** The options of `open`, and the checks that need no core. */
import { checkFunction, refuseUnknown, ValidationError } from '../core/errors.ts';
import { checkUser } from '../core/user.ts';
import type { Host } from '../host/host.ts';
import type { Remote } from './remote.ts';
import { checkWanted } from './stream-name.ts';
import type { Mutators, Query, Schema, Tables } from './types.ts';

export type UpdateReason = 'client-old' | 'server-old' | 'newer-tab';

export interface OpenOptions<T extends Tables, M> {
  name: string;
  schema: Schema<T>;
  mutators?: M & Mutators<T>;
  /** Without one everything stays in this browser. */
  remote?: Remote;
  /** Which parts of the tables to keep here; required with a remote. */
  // biome-ignore lint/suspicious/noExplicitAny: a query of any table, with whatever rows.
  scopes?: 'all' | ((q: { readonly [K in keyof T]: Query<T, K> }) => readonly Query<T, any, any>[]);
  /**
   * The streams to keep here, by name or by prefix ('doc/*'). Those that `db.stream` opens are kept in any case. Of a name,
   * the last 1,000 actions are fetched at first, unless a reducer folds them; of a prefix, all.
   */
  streams?: readonly string[];
  /** The owner of the data: another user on the same profile sees none of it. */
  user?: string;
  /**
   * Data that were made on this profile without a user, in the database of the same name, become this user's, as pending
   * mutations. The local database is then deleted. Needs `user` and `remote`.
   */
  adoptLocal?: boolean;
  /**
   * The realm of rows that are created without one, unless a `cascade` ref leads to a row: they go to that row's realm. By
   * default the user's own.
   */
  defaultRealm?: string;
  /** `strict` (the default) asks the engine to write to disk before a mutation counts as durable. */
  durability?: 'strict' | 'relaxed';
  /**
   * Whether the browser is asked, at the first change, not to evict the data. True by default; Firefox asks its user
   * then. To choose the moment, call `navigator.storage.persist()` instead.
   */
  persist?: boolean;
  /**
   * A service worker pushes and pulls for all windows, also after the last was closed: the address of its script (one
   * that calls `syncWorker`, or the package's own `skerry-sw.js`). True: `/skerry-sw.js`. Without one, or where it cannot
   * run, the windows do it themselves (`db.sync.status.mode`).
   */
  serviceWorker?: boolean | string;
  onUpdateNeeded?(event: { readonly reason: UpdateReason }): void;
  host?: Host;
  /** Where `skerry.wasm` is served, if not beside the package. */
  wasmUrl?: URL;
  /** Where `worker.js` is served, if not beside the package; the files that it loads must be in the same folder. */
  workerUrl?: URL;
  signal?: AbortSignal;
}

/** Every member of OpenOptions; the compiler checks that none is missing. */
const known: Readonly<Record<keyof OpenOptions<Tables, unknown>, true>> = {
  name: true,
  schema: true,
  mutators: true,
  remote: true,
  scopes: true,
  streams: true,
  user: true,
  adoptLocal: true,
  defaultRealm: true,
  durability: true,
  persist: true,
  serviceWorker: true,
  onUpdateNeeded: true,
  host: true,
  wasmUrl: true,
  workerUrl: true,
  signal: true,
};

export function checkOptions(options: OpenOptions<Tables, unknown>): void {
  refuseUnknown(options, Object.keys(known), 'open()');
  const { adoptLocal, user, remote, defaultRealm, streams = [], serviceWorker, mutators } = options;
  checkWanted(streams);
  for (const [name, mutator] of Object.entries(mutators ?? {}))
    checkFunction(mutator, `The option mutators.${name}`);
  if (serviceWorker && !remote)
    throw new ValidationError(
      'invalid_argument',
      'serviceWorker needs a remote: without one there is nothing to push.',
    );
  // Else new rows would go to the realm `local`, which no server has: all of them would be refused, later.
  if (remote && user === undefined && defaultRealm === undefined)
    throw new ValidationError(
      'invalid_argument',
      'With a remote, name `user` or `defaultRealm`: the realm of new rows is the user’s own, or that one.',
    );
  if (adoptLocal && !(user && remote))
    throw new ValidationError('invalid_argument', 'adoptLocal needs a user and a remote.');
}

const databaseNames = /^[A-Za-z0-9_.-]{1,64}$/;

/** `skerry/<name>/<user>`: the name of the IndexedDB database and of the channel. */
export function databaseName(name: string, user: string | undefined): string {
  if (!databaseNames.test(name)) {
    throw new ValidationError(
      'invalid_argument',
      'A database’s name is 1 to 64 letters, digits, "_", "." or "-".',
    );
  }
  if (user === undefined) return `skerry/${name}/local`;
  checkUser(user);
  // Slashes would reach into other names; and a user called "local" is not the absence of one.
  const encoded = user === 'local' ? '%6Cocal' : encodeURIComponent(user);
  return `skerry/${name}/${encoded}`;
}

/**
 * All that is deleted with a database: itself, and what `skerry/redux` keeps beside it for slices of this device, by a name of its
 * own (js/redux/options.ts).
 */
export function databasesWith(name: string, user: string | undefined): readonly string[] {
  const beside = `${name}.device`;
  const own = databaseName(name, user);
  return databaseNames.test(beside) ? [own, databaseName(beside, user)] : [own];
}
