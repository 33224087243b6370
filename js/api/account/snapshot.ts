/**
 * Snapshot: the content of a database, read from storage in one transaction: the confirmed rows at n, and the mutations
 * that are pending over them. It reads no state of a window, so it is the same in each window.
 */

import type { MutationRecord } from '../../core/core-types.ts';
import { CorruptImageError, UpdateNeededError } from '../../core/errors.ts';
import type { ImagePlace } from '../../core/window-effects.ts';
import type { Host } from '../../host/host.ts';
import { ImageReader } from '../../host/image-reader.ts';
import { readNow, type Storage } from '../../host/storage.ts';
import type { StoredActions } from './actions.ts';
import type { PortableCore } from './portable-core.ts';

export interface Stored<T> {
  readonly key: number;
  readonly value: T;
}

/** The members of the record `sync` that are used. */
export interface SyncRecord {
  readonly v?: number;
  readonly n?: number;
  readonly image?: (ImagePlace & { readonly n: number }) | null;
  readonly cursors?: Readonly<Record<string, string>>;
  readonly scopes?: readonly { readonly filled: unknown }[];
}

export interface StorageSnapshot {
  readonly sync: SyncRecord;
  readonly mutations: readonly Stored<MutationRecord>[];
  readonly conflicts: readonly Stored<unknown>[];
  /** Of all streams, by key. */
  readonly actions: readonly StoredActions[];
}

/** A new image may be published while the old one is read: then it is read again. */
const maxAttempts = 5;
const recordVersion = 1;

/** Loads the confirmed rows into `portable`, and returns the rest. `fresh` makes another `portable` for another attempt. */
export async function takeSnapshot(
  host: Host,
  database: string,
  storage: Storage,
  fresh: () => Promise<PortableCore>,
): Promise<StorageSnapshot & { readonly portable: PortableCore }> {
  for (let attempt = 1; ; attempt++) {
    const portable = await fresh();
    let failure: unknown = null;
    try {
      const snapshot = await attemptSnapshot(host, database, storage, portable);
      if (snapshot) return { ...snapshot, portable };
    } catch (error) {
      failure = error;
    }
    portable.close();
    if (failure instanceof UpdateNeededError) throw failure;
    if (attempt < maxAttempts) continue;
    throw (
      failure ??
      new CorruptImageError('image', 'The stored records do not continue their image.', {
        retryable: true,
      })
    );
  }
}

async function attemptSnapshot(
  host: Host,
  database: string,
  storage: Storage,
  portable: PortableCore,
): Promise<StorageSnapshot | null> {
  const [before] = await readNow(storage, [{ store: 'sync', get: 'sync' }]);
  const pointer = refuseNewer((before ?? {}) as SyncRecord).image ?? null;
  for (const { files } of pointer ? new ImageReader(host.storage, database).read(pointer) : [])
    portable.load(await Promise.all(files));
  const found = await readNow(storage, [
    { store: 'sync', get: 'sync' },
    { store: 'updates', range: { above: pointer?.n ?? 0 } },
    { store: 'mutations', range: {} },
    { store: 'conflicts', range: {} },
    { store: 'actions', range: {} },
  ]);
  const sync = refuseNewer((found[0] ?? {}) as SyncRecord);
  if ((sync.image?.generation ?? null) !== (pointer?.generation ?? null)) return null;
  let n = pointer?.n ?? 0;
  for (const { key, value } of found[1] as Stored<{ v: number; body: Uint8Array }>[]) {
    if (key !== n + 1) return null;
    refuseNewer(value);
    portable.apply(value.body);
    n = key;
  }
  if (n !== (sync.n ?? 0)) return null;
  const mutations = found[2] as Stored<MutationRecord>[];
  const conflicts = found[3] as Stored<unknown>[];
  const actions = found[4] as StoredActions[];
  for (const { value } of actions) refuseNewer(value);
  return { sync, mutations, conflicts, actions };
}

function refuseNewer<T extends { readonly v?: number }>(record: T): T {
  if ((record.v ?? recordVersion) > recordVersion)
    throw new UpdateNeededError('newer_tab', 'A newer version of this application wrote the data.');
  return record;
}
