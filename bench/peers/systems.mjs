// The systems that are measured, and how each is put together. The durability of one is what its name says, or what it
// does by default.

import { SetupError } from '../../tools/lib/run.mjs';

const kPgliteFiles = ['pglite.wasm', 'pglite.data', 'initdb.wasm'].map(
  (file) => `@electric-sql/pglite/dist/${file}`,
);
const kSqliteFiles = ['@sqlite.org/sqlite-wasm/dist/sqlite3.wasm'];

/**
 * name, adapter (a file of adapters/), variant (its VARIANT), worker (a file of adapters/ that becomes worker.js), files
 * (of packages, served beside it), windows: it tells other windows of changes.
 * kind: `ours`; `floor`, written by hand, nothing but what the storage itself costs; `peer`.
 */
export const kSystems = [
  { name: 'skerry', adapter: 'skerry', variant: 'strict', kind: 'ours', windows: true },
  { name: 'skerry-relaxed', adapter: 'skerry', variant: 'relaxed', kind: 'ours', windows: true },
  // Not among those that are measured unless it is named: for harnesses that make ids of their own.
  {
    name: 'skerry-own-ids',
    adapter: 'skerry',
    variant: 'own-ids',
    kind: 'ours',
    windows: true,
    onDemand: true,
  },
  { name: 'idblog-group', adapter: 'idblog', variant: 'group', kind: 'floor', windows: true },
  { name: 'idblog', adapter: 'idblog', variant: 'relaxed', kind: 'floor', windows: true },
  { name: 'idblog-strict', adapter: 'idblog', variant: 'strict', kind: 'floor', windows: true },
  { name: 'idb', adapter: 'idb', variant: 'relaxed', kind: 'floor', windows: true },
  { name: 'idb-strict', adapter: 'idb', variant: 'strict', kind: 'floor', windows: true },
  { name: 'dexie', adapter: 'dexie', kind: 'peer', windows: true },
  { name: 'tinybase', adapter: 'tinybase', kind: 'peer', windows: true },
  { name: 'replicache', adapter: 'replicache', kind: 'peer', windows: true },
  {
    name: 'replicache-native',
    adapter: 'replicache',
    variant: 'native',
    kind: 'peer',
    windows: true,
    // What it calls done is in memory only.
    volatile: true,
  },
  { name: 'rxdb', adapter: 'rxdb', kind: 'peer', windows: true },
  { name: 'sqlite', adapter: 'sqlite', kind: 'peer', worker: 'sqlite.worker', files: kSqliteFiles },
  {
    name: 'sqlite-wal',
    adapter: 'sqlite',
    variant: 'wal',
    kind: 'peer',
    worker: 'sqlite.worker',
    files: kSqliteFiles,
  },
  {
    name: 'wasqlite',
    adapter: 'wasqlite',
    variant: 'default',
    kind: 'peer',
    files: ['wa-sqlite/dist/wa-sqlite-async.wasm'],
  },
  { name: 'pglite', adapter: 'pglite', variant: 'strict', kind: 'peer', files: kPgliteFiles },
  {
    name: 'pglite-relaxed',
    adapter: 'pglite',
    variant: 'relaxed',
    kind: 'peer',
    files: kPgliteFiles,
    volatile: true,
  },
  { name: 'pouchdb', adapter: 'pouchdb', kind: 'peer', windows: true },
  { name: 'yjs', adapter: 'yjs', kind: 'peer', windows: true },
  {
    name: 'yjs-native',
    adapter: 'yjs',
    variant: 'native',
    kind: 'peer',
    windows: true,
    volatile: true,
  },
  {
    name: 'automerge',
    adapter: 'automerge',
    kind: 'peer',
    windows: true,
    files: ['@automerge/automerge/dist/automerge.wasm'],
  },
  // A page without any database: what the browser itself takes.
  { name: 'null', adapter: 'null', kind: 'empty' },
];

/** Those of these names, in the order of the table; all of them if none is named. */
export function chosenSystems(names) {
  const unknown = names.filter((name) => !kSystems.some((system) => system.name === name));
  if (unknown.length > 0) {
    const known = kSystems.map(({ name }) => name).join(', ');
    throw new SetupError(`There is no system ${unknown.join(', ')}. Choose from ${known}.`);
  }
  return kSystems.filter(({ name, onDemand }) =>
    names.length === 0 ? !onDemand : names.includes(name),
  );
}
