/**
 * The versions of a database `skerry/<name>/<user>`: what each one changed. Opening a database, opening it again, leaving an
 * account and the memory storage all go by this list, and nothing else knows a version's number.
 *
 * To add a store, or to change what is stored, append a version. A released one is never edited: profiles have it.
 * An upgrade is one transaction, which runs when no other window or worker has the database open. A process that ends in
 * it leaves the version before as it was, so nothing may be converted outside of it.
 *
 * A stored format changes in one of two ways:
 * - `rewrite`, here: after it no record of the former format is left, and no code has to read it. Windows of the former
 *   release close, and cannot open the database any more. The opening waits for it, so it is for small stores.
 * - lazily, by the record's own `v`: the code reads both, and writes the new one. Windows of both releases go on with the
 *   database, and the former leaves alone what has a greater `v` (docs/internals.md, section 3). That is for stores of any
 *   size, and no version is added here.
 */
import type { Key } from './storage.ts';

export type SchemaChange =
  | { readonly addStore: string; readonly autoIncrement: boolean }
  /** Each record of the store becomes what `change` makes of it; undefined leaves it as it is. */
  | { readonly rewrite: string; readonly change: (value: unknown, key: Key) => unknown };

/** Version n is entry n - 1: what has changed since version n - 1. The current version is the length of the list. */
export type DatabaseSchema = readonly (readonly SchemaChange[])[];

/** The production's. Tests hand others to the hosts. */
export const databaseSchema: DatabaseSchema = [
  // 1. The stores of docs/internals.md, section 3.
  [
    { addStore: 'mutations', autoIncrement: true },
    { addStore: 'outbox', autoIncrement: false },
    { addStore: 'updates', autoIncrement: false },
    { addStore: 'sync', autoIncrement: false },
    { addStore: 'conflicts', autoIncrement: true },
  ],
  // 2. The stores of streams.
  [
    { addStore: 'actions', autoIncrement: false },
    { addStore: 'streams', autoIncrement: false },
  ],
  // 3. Images in mounts that are used again, where windows of a former release would look for them under other names.
  [],
  // 4. Confirmed changes of this client, which others may overwrite without having seen them.
  [{ addStore: 'own', autoIncrement: true }],
];

/** The changes to make to a database of this version, in order; 0 is a new one. */
export function changesSince(schema: DatabaseSchema, version: number): readonly SchemaChange[] {
  return schema.slice(version).flat();
}

/**
 * Not a version that a database ever has: the upgrade to it is begun to be alone with the database, and is always rolled
 * back. Other windows close at once, as for a deletion.
 */
export const aloneVersion = 2 ** 31 - 1;

/** Whether a `versionchange` comes from a newer release, which wants the data, and not from a deletion. */
export function isUpgrade(newVersion: number | null): boolean {
  return newVersion !== null && newVersion !== aloneVersion;
}
