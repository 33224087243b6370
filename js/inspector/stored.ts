/** What is in IndexedDB, read in one transaction that writes nothing. Any script of the origin may have written it. */
import type {
  ImagePointer,
  LeaseRecord,
  MutationRecord,
  NamedMutation,
  SyncScope,
  SyncStream,
} from '../core/core-types.ts';
import type { Storage } from '../host/storage.ts';
import { inspectorLimits } from './limits.ts';
import type { InspectedObject } from './view.ts';

export interface KeyedMutation extends MutationRecord {
  readonly key: number;
}
/** The members of a record of the outbox (src/log/outbox_record.h) that are shown. */
export interface StoredUpdate {
  readonly id: string;
  readonly state: string;
  readonly at: number;
  readonly epoch: number;
  readonly after: Readonly<Record<string, unknown>>;
  readonly mutations: readonly NamedMutation[];
  readonly body: Uint8Array;
}
/** Of the record `sync` (src/log/sync_record.h). */
export interface StoredSync {
  readonly n: number;
  readonly scopes: readonly SyncScope[];
  readonly streams: readonly SyncStream[];
  readonly image: ImagePointer | null;
  readonly previous: ImagePointer | null;
  readonly recordBytes: number;
}
export interface StoredNow {
  readonly pending: readonly KeyedMutation[];
  readonly pendingCount: number;
  readonly updates: readonly StoredUpdate[];
  readonly updateCount: number;
  readonly sync: StoredSync;
  readonly leases: Readonly<Record<string, LeaseRecord>>;
}

const stores = ['mutations', 'outbox', 'sync'] as const;
const leases = ['push', 'listen', 'image'] as const;
const counted = [
  'mutations',
  'outbox',
  'updates',
  'conflicts',
  'actions',
  'streams',
  'own',
] as const;

export const nothingStored: StoredNow = {
  ...{ pending: [], pendingCount: 0, updates: [], updateCount: 0, leases: {} },
  sync: { n: 0, scopes: [], streams: [], image: null, previous: null, recordBytes: 0 },
};

export async function readStored(storage: Storage): Promise<StoredNow> {
  const found = await read(storage, stores, [
    { store: 'mutations', range: { limit: inspectorLimits.pending } },
    { store: 'mutations', count: true },
    { store: 'outbox', range: { limit: inspectorLimits.updates } },
    { store: 'outbox', count: true },
    { store: 'sync', get: 'sync' },
    ...leases.map((get) => ({ store: 'sync', get })),
  ]);
  const [pending, pendingCount, updates, updateCount, sync, ...held] = found;
  return {
    pending: rowsOf<MutationRecord>(pending).map(({ key, value }) => ({ ...value, key })),
    pendingCount: pendingCount as number,
    updates: rowsOf<StoredUpdate>(updates)
      .map(({ value }) => value)
      .filter((update) => Array.isArray(update.mutations)),
    updateCount: updateCount as number,
    sync: { ...nothingStored.sync, ...(sync as Partial<StoredSync> | null) },
    leases: Object.fromEntries(
      leases.flatMap((name, i) => (held[i] ? [[name, held[i] as LeaseRecord]] : [])),
    ),
  };
}

/** How many records each store has. A store may have many. */
export async function countStored(storage: Storage): Promise<Readonly<Record<string, number>>> {
  const found = await read(
    storage,
    counted,
    counted.map((store) => ({ store, count: true })),
  );
  return Object.fromEntries(counted.map((store, i) => [store, found[i] as number]));
}

async function read(
  storage: Storage,
  among: readonly string[],
  reads: Parameters<Storage['transact']>[0]['reads'],
): Promise<readonly unknown[]> {
  let found: readonly unknown[] = [];
  await storage.transact({ stores: among, mode: 'readonly', reads }, (results) => {
    found = results;
    return { type: 'write', writes: [] };
  });
  return found;
}

function rowsOf<V>(found: unknown): { readonly key: number; readonly value: V }[] {
  const rows = (found ?? []) as { key: number; value: V | null }[];
  return rows.filter((row): row is { key: number; value: V } => row.value instanceof Object);
}

/** What a record names: table, U+0000, id, and for an id of the application's own U+0000, realm. */
export function objectsOf(keys: readonly string[] | undefined): InspectedObject[] {
  return (keys ?? []).slice(0, inspectorLimits.objects).map((key) => {
    const [table = '', id = '', realm] = key.split('\0');
    return { table, id, ...(realm !== undefined && { realm }) };
  });
}

/** The first letters of a text that others have written. */
export function textOf(text: unknown): string {
  return String(text ?? '').slice(0, inspectorLimits.letters);
}
