/**
 * `open({ user, adoptLocal })`: data that were made on this profile without a user become the user's. The copy is one
 * transaction of the user's database, which also writes a marker of what was copied. Then the local database is deleted. A
 * crash before the copy changes nothing. After a crash behind it only the deletion is left, as the marker shows.
 */

import type { ConfirmedAction, MutationRecord } from '../../core/core-types.ts';
import { SkerryError } from '../../core/errors.ts';
import { browserAccounts } from '../../host/account.ts';
import { type Read, readNow, type Storage } from '../../host/storage.ts';
import type { DatabaseCore } from '../database-core.ts';
import { actionKey, actionsOf, appending, type StreamActions } from './actions.ts';
import { ownRealms } from './import.ts';
import { logRecords } from './log.ts';
import { type PlainMutation, PortableCore } from './portable-core.ts';
import { creating, inRealms, rowKey, rowsInRealms, type TableRow } from './rows.ts';
import { type StorageSnapshot, type Stored, type SyncRecord, takeSnapshot } from './snapshot.ts';

/** How far a local database was copied: to its n, and its last mutation. */
interface Copied {
  readonly n: number;
  readonly key: number;
}

/** The record `adopted` of the store `sync` of the user's database: by the identities of local databases. */
interface Marker {
  readonly v: 1;
  readonly sources: Readonly<Record<string, Copied>>;
}

const adoptName = 'skerry/adopt';
/** So often may windows without a user write between a copy and the deletion; the next `open` continues. */
const maxRounds = 5;
const readMarker: Read = { store: 'sync', get: 'adopted' };
const readEnd: readonly Read[] = [
  { store: 'sync', get: 'sync' },
  { store: 'mutations', range: {} },
];

export async function adopt(core: DatabaseCore): Promise<void> {
  const { host, options } = core.parts;
  const source = `skerry/${options.name}/local`;
  const accounts = host.accounts ?? browserAccounts;
  for (let round = 0; round < maxRounds; round++) {
    if (!(await accounts.exists(source))) return;
    let copied: Copied | null;
    try {
      copied = await copy(core, source);
    } catch (error) {
      // Another window was faster, and has deleted it.
      if (!(await accounts.exists(source))) return;
      throw error;
    }
    const unchanged = (found: readonly unknown[]) => copied !== null && isSame(copied, found);
    if (await accounts.deleteIf(source, readEnd, unchanged)) return;
  }
}

/** Returns how far all of it is copied now; null where another window has copied meanwhile. */
async function copy(core: DatabaseCore, source: string): Promise<Copied | null> {
  const { host, storage } = core.parts;
  const local = await host.storage.open(source, () => {});
  try {
    const fresh = () => PortableCore.begin(core);
    const id = await identityOf(local, core);
    const [found] = await readNow(storage, [readMarker]);
    const before = (found as Marker | null)?.sources[id] ?? null;
    // Only its deletion is left, which may have begun with its image.
    if (before && isSame(before, await readNow(local, readEnd))) return before;
    const snapshot = await takeSnapshot(host, source, local, fresh);
    try {
      return await write(core, id, before, snapshot);
    } finally {
      snapshot.portable.close();
    }
  } finally {
    local.close();
  }
}

async function write(
  core: DatabaseCore,
  id: string,
  before: Copied | null,
  snapshot: StorageSnapshot & { readonly portable: PortableCore },
): Promise<Copied | null> {
  const { portable, sync, mutations, conflicts } = snapshot;
  const copied = endOf(sync, mutations);
  const rows = rowsOf(core, snapshot);
  const streams = streamsOf(snapshot);
  const isEmpty = Object.keys(streams).length === 0;
  if (isEmpty && rows.length + mutations.length + conflicts.length === 0) return copied;
  const records = recordsOf(core, portable, before, rows, streams, mutations);
  const logged = await logRecords(core, records, [readMarker], ({ extra: [found] }) => {
    const marker = found as Marker | null;
    // Another window's copy is not known to the one made above.
    if (JSON.stringify(marker?.sources[id] ?? null) !== JSON.stringify(before)) return null;
    const put: Marker = { v: 1, sources: { ...marker?.sources, [id]: copied } };
    // The inbox is copied the first time only: entries have no ids by which a second copy would know them.
    const inbox = before ? [] : conflicts.map(({ value }) => ({ store: 'conflicts', add: value }));
    return [{ store: 'sync', put, key: 'adopted' }, ...inbox];
  });
  if (logged === null) return null;
  if (conflicts.length > 0) {
    const message = { type: 'conflicts' } as const;
    core.parts.runner.dispatch({ type: 'message', message });
    core.parts.runner.execute([{ type: 'broadcast', message }]);
  }
  return copied;
}

/** Rows that no server knows: of realms that were never pulled. */
function rowsOf(
  core: DatabaseCore,
  { portable, sync }: StorageSnapshot & { readonly portable: PortableCore },
): TableRow[] {
  const pulled = pulledBy(sync);
  return core.parts.codec.schema.tables.flatMap(({ name, index }) =>
    portable
      .rows(index)
      .filter(({ realm }) => !pulled.includes(realm))
      .map((row) => ({ table: name, row })),
  );
}

function pulledBy(sync: SyncRecord): string[] {
  return Object.keys(sync.cursors ?? {}).filter((realm) => realm !== 'local');
}

/** Actions that no server knows. */
function streamsOf({
  portable,
  sync,
  actions,
}: StorageSnapshot & { readonly portable: PortableCore }): StreamActions {
  const pulled = pulledBy(sync);
  const own = Object.entries(actionsOf(portable, actions));
  return Object.fromEntries(own.filter(([realm]) => !pulled.includes(realm)));
}

/**
 * What was copied before is not copied again: the revision of a row, and of an action, is here the n of the record by
 * which it came.
 */
function recordsOf(
  core: DatabaseCore,
  portable: PortableCore,
  before: Copied | null,
  rows: readonly TableRow[],
  streams: StreamActions,
  mutations: readonly Stored<MutationRecord>[],
): MutationRecord[] {
  const realms = ownRealms(core);
  const changed = rows.filter(({ row }) => !before || row.revision > before.n);
  const at = core.parts.host.clock.now() + core.parts.sync.status.clockOffsetMs;
  const isNew = ({ place: [n] }: ConfirmedAction) => n > (before?.n ?? 0);
  const created = creating(portable, rowsInRealms(changed, realms), adoptName, at);
  const appended = appending(streams, realms, isNew);
  refuseMissing([...created, ...appended], changed.length + countOf(streams, isNew));
  const pending = mutations
    .filter(({ key }) => key > (before?.key ?? 0))
    .map(({ value }) => inRealms(portable.read(value.body), realms));
  const others = [...appended, ...pending].map((mutation) => portable.write(mutation));
  const records = [...created.map(({ record }) => record), ...others];
  for (const { body } of records) core.parts.core.checkLogged(body);
  return records;
}

/** The local database is deleted after the copy: so all rows and actions of it must be in there, each by itself. */
function refuseMissing(made: readonly Pick<PlainMutation, 'id' | 'ops'>[], count: number): void {
  const keys = made.flatMap(({ id: action, ops }) =>
    ops.map(({ realm, table, id = '', stream = '' }) =>
      table ? rowKey(realm, table, id) : actionKey(realm, stream, action ?? ''),
    ),
  );
  const found = new Set(keys).size;
  if (found === count) return;
  throw new SkerryError(
    'adopt_incomplete',
    `Of ${count} rows and actions only ${found} would be adopted: the local database stays.`,
  );
}

function countOf(streams: StreamActions, isNew: (action: ConfirmedAction) => boolean): number {
  const lists = Object.values(streams).flatMap((byStream) => Object.values(byStream));
  return lists.reduce((sum, actions) => sum + actions.filter(isNew).length, 0);
}

/** Whether what `readEnd` found is where the copy ends. */
function isSame(copied: Copied, [sync, mutations]: readonly unknown[]): boolean {
  const { n, key } = endOf(sync as SyncRecord | null, mutations as Stored<unknown>[]);
  return n === copied.n && key === copied.key;
}

function endOf(sync: SyncRecord | null, mutations: readonly Stored<unknown>[]): Copied {
  return { n: sync?.n ?? 0, key: mutations.at(-1)?.key ?? 0 };
}

/** A local database that is made after this one was deleted is another. */
async function identityOf(local: Storage, { parts }: DatabaseCore): Promise<string> {
  const made = [...parts.host.random.bytes(16)].map((byte) => byte.toString(16).padStart(2, '0'));
  let identity = made.join('');
  await local.transact(
    {
      stores: ['sync'],
      mode: 'readwrite',
      durability: 'strict',
      reads: [{ store: 'sync', get: 'identity' }],
    },
    ([found]) => {
      const known = found as { readonly id: string } | null;
      if (known) identity = known.id;
      const put = { v: 1, id: identity };
      return { type: 'write', writes: known ? [] : [{ store: 'sync', put, key: 'identity' }] };
    },
  );
  return identity;
}
