/** The options of `skerryEnhancer`, and their checks. */
import type { AnyDatabase } from '../api/database.ts';
import type { OpenOptions } from '../api/options.ts';
import type { Tables } from '../api/types.ts';
import { ValidationError } from '../index.ts';

/** Types of actions: names, and prefixes followed by `*` (`todos/*`); or a function that says it of each action. */
export type Which = readonly string[] | ((action: { readonly type: string }) => boolean);

/** Slices that stay on this device. They are restored at the next start of the same user, and nobody else sees them. */
export interface PersistOptions {
  /** Names of slices of the root state; none of those that are in step with others. */
  readonly slices: readonly string[];
  /** An action that `sync` takes, too, is of this device only. */
  readonly actions: Which;
}

type StoreOpenOptions = Pick<
  OpenOptions<Tables, unknown>,
  | 'remote'
  | 'user'
  | 'defaultRealm'
  | 'adoptLocal'
  | 'durability'
  | 'persist'
  | 'serviceWorker'
  | 'onUpdateNeeded'
  | 'host'
  | 'wasmUrl'
  | 'workerUrl'
>;

export interface EnhancerOptions extends Omit<StoreOpenOptions, 'persist'> {
  /** Of the database in this browser, as in `open`. */
  readonly name: string;
  /** A database that the application has opened, in place of one of the enhancer's own; it stays open. */
  readonly db?: AnyDatabase | Promise<AnyDatabase>;
  /**
   * The slices of the root state that are made of synced actions, and of nothing else. The root reducer has them from the beginning.
   * It is given them alone, too: other slices have their initial states then.
   */
  readonly slices: readonly string[];
  /** Which actions are synced: appended to the stream, and reduced by everybody in the same order. */
  readonly sync: Which;
  /** Which actions and slices are kept on this device only. */
  readonly persist?: PersistOptions;
  /** The stream, `redux` by default, and its realm, by default that of new rows. */
  readonly stream?: string;
  readonly realm?: string;
  /** To be raised when the reducers of the slices give other states: 1 by default. */
  readonly version?: number;
  /** Takes slices of an earlier version over, so that the actions need not be reduced again. */
  readonly migrate?: (slices: Readonly<Record<string, unknown>>, version: number) => object;
  /**
   * The synced action that undoes another one, for `db.undo` of the database. Pure. `before`: the slices before the action. Null, or a
   * throw, which `db.problems` names: this action cannot be undone. Without `inverse` none can.
   */
  inverse?(
    action: { readonly type: string } & Readonly<Record<string, unknown>>,
    before: Readonly<Record<string, unknown>>,
  ): { readonly type: string } | null | undefined;
  /** The database could not be opened: the store works, and its actions are kept in memory only. By default it is logged. */
  onError?(error: Error): void;
}

function checkSlices(slices: unknown, what: string): void {
  const isList = Array.isArray(slices) && slices.length > 0;
  if (isList && slices.every((name) => typeof name === 'string' && name !== '')) return;
  throw new ValidationError('invalid_argument', `${what} is a list of names of slices.`);
}

function checkWhich(which: unknown, what: string): void {
  const isList = Array.isArray(which) && which.every((type) => typeof type === 'string');
  if (isList || typeof which === 'function') return;
  throw new ValidationError(
    'invalid_argument',
    `${what} is a list of types of actions, or a function.`,
  );
}

const beside = '.device';
/** Of a database, as `open` takes it. */
const maxName = 64;

/** The name of the database of slices of this device, beside another; `logout` deletes both (js/api/options.ts). */
export function deviceName(name: string): string {
  if (`${name}${beside}`.length <= maxName) return `${name}${beside}`;
  throw new ValidationError(
    'invalid_argument',
    `With \`persist\`, the name of the database has at most ${maxName - beside.length} characters, because its slices of this device are stored in one named <name>${beside}; ${name} has ${name.length}.`,
  );
}

export function checkEnhancer({ slices, sync, persist, db, name }: EnhancerOptions): void {
  checkSlices(slices, '`slices`');
  checkWhich(sync, '`sync`');
  if (!persist) return;
  checkSlices(persist.slices, '`persist.slices`');
  checkWhich(persist.actions, '`persist.actions`');
  if (db === undefined && typeof name === 'string') deviceName(name);
  const both = persist.slices.find((name) => slices.includes(name));
  if (both !== undefined)
    throw new ValidationError(
      'invalid_argument',
      `The slice ${both} is in \`slices\` and in \`persist.slices\`.`,
    );
}

export function matcher(which: Which): (action: { readonly type: string }) => boolean {
  if (typeof which === 'function') return which;
  const exact = new Set(which.filter((type) => !type.endsWith('*')));
  const prefixes = which.filter((type) => type.endsWith('*')).map((type) => type.slice(0, -1));
  return ({ type }) => exact.has(type) || prefixes.some((prefix) => type.startsWith(prefix));
}
