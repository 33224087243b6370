/** `db.export`: the content of a database, or only its unconfirmed mutations, as a file. */
import type { MutationRecord } from '../../core/core-types.ts';
import { refuseUnknown, type SkerryError } from '../../core/errors.ts';
import { readNow } from '../../host/storage.ts';
import type { DatabaseCore } from '../database-core.ts';
import { actionsOf, type StoredActions } from './actions.ts';
import { type FileContent, type FileRow, type InboxEntry, toFile } from './file.ts';
import { PortableCore } from './portable-core.ts';
import { type Stored, takeSnapshot } from './snapshot.ts';

export interface ExportOptions {
  /** Only the mutations that are not confirmed. */
  readonly pendingOnly?: boolean;
}

export async function exportFile(core: DatabaseCore, options: ExportOptions = {}): Promise<Blob> {
  refuseUnknown(options, ['pendingOnly'], 'export()');
  const { host, storage, codec, database, options: opened } = core.parts;
  const schema = codec.describe() as { readonly version: number };
  const fresh = () => PortableCore.begin(core);
  // Everything is read from storage, which must have what the application wrote before.
  await core.parts.mutations.durable();
  let portable: PortableCore;
  let mutations: readonly Stored<MutationRecord>[];
  let conflicts: readonly Stored<unknown>[];
  let actions: readonly StoredActions[] = [];
  if (options.pendingOnly) {
    portable = await fresh();
    const [found, inbox] = await readNow(storage, [
      { store: 'mutations', range: {} },
      { store: 'conflicts', range: {} },
    ]);
    mutations = found as Stored<MutationRecord>[];
    conflicts = inbox as Stored<unknown>[];
  } else
    ({ portable, mutations, conflicts, actions } = await takeSnapshot(
      host,
      database,
      storage,
      fresh,
    ));
  try {
    return toFile({
      name: opened.name,
      user: opened.user ?? null,
      schema: schema.version,
      at: host.clock.now(),
      rows: options.pendingOnly ? null : rowsOf(core, portable),
      ...(actions.length > 0 && { streams: actionsOf(portable, actions) }),
      mutations: mutations.map(({ value }) => readable(portable, value)),
      ...(conflicts.length > 0 && { inbox: conflicts.map(({ value }) => entryOf(value)) }),
    });
  } finally {
    portable.close();
  }
}

function rowsOf(core: DatabaseCore, portable: PortableCore): FileContent['rows'] {
  const tables: Record<string, Record<string, FileRow[]>> = {};
  for (const { name, index } of core.parts.codec.schema.tables) {
    // A realm may have any name.
    const realms = new Map<string, FileRow[]>();
    for (const { id, realm, createdAt, modifiedAt, props } of portable.rows(index)) {
      const rows = realms.get(realm) ?? [];
      realms.set(realm, rows);
      rows.push({ id, createdAt, modifiedAt, props });
    }
    tables[name] = Object.fromEntries(realms);
  }
  return tables;
}

function readable(
  portable: PortableCore,
  record: MutationRecord,
): FileContent['mutations'][number] {
  const { id, name, at, body } = record;
  const unreadable = (why: string) => ({ id, name, at, unreadable: why, body: base64(body) });
  try {
    const { leftOut, ...mutation } = portable.read(body);
    return leftOut === undefined ? mutation : unreadable(leftOut);
  } catch (error) {
    // The mutation is of another schema, or damaged: its effect is not known, but it is not left out.
    return unreadable((error as SkerryError).message);
  }
}

/** The members of a record of the inbox (src/log/conflict_record.h). Any script may have written it. */
interface ConflictRecord extends Omit<InboxEntry, 'key' | 'mutation'> {
  readonly id: string | null;
  readonly mutation?: Omit<InboxEntry['mutation'], 'body'> & { readonly body: Uint8Array };
}

function entryOf(stored: unknown): InboxEntry {
  const { table, id, reason, code, detail, at, mine, mutation } = (stored ?? {}) as ConflictRecord;
  const body = mutation?.body instanceof Uint8Array ? base64(mutation.body) : '';
  const { id: action = '', name = '', at: madeAt = 0 } = mutation ?? {};
  return {
    ...{ table, key: id, reason, code, detail, at },
    mine: inJson(mine),
    mutation: { id: action, name, at: madeAt, body },
  };
}

/** Bytes become envelopes. */
function inJson(mine: unknown): unknown {
  if (typeof mine !== 'object' || mine === null) return mine ?? null;
  const plain = (value: unknown) =>
    value instanceof Uint8Array ? { $type: 'bytes', v: base64(value) } : value;
  return Object.fromEntries(Object.entries(mine).map(([prop, value]) => [prop, plain(value)]));
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}
