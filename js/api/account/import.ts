/**
 * `db.import`: logs the content of a file of `db.export`. Its mutations keep the ids of their actions, by which a
 * server and this database know what they have already. Of its rows those that are not here are created.
 */
import {
  SchemaError,
  SkerryError,
  UnsupportedError,
  UpdateNeededError,
  ValidationError,
} from '../../core/errors.ts';
import { readNow } from '../../host/storage.ts';
import type { DatabaseCore } from '../database-core.ts';
import { actionKey, appending, rangeOf, type StoredActions } from './actions.ts';
import { type FileContent, fromFile, type UnreadableMutation } from './file.ts';
import { logRecords } from './log.ts';
import { type Creation, type PlainMutation, PortableCore } from './portable-core.ts';
import { creating, inRealms, rowsInRealms, type TableRow } from './rows.ts';
import type { SyncRecord } from './snapshot.ts';

const importName = 'skerry/import';

export async function importFile(core: DatabaseCore, file: Blob): Promise<void> {
  const { host, options } = core.parts;
  const content = await fromFile(file);
  refuseOthers(core, content);
  const { remote } = options;
  if (!remote && content.mutations.length > 0) {
    throw new UnsupportedError(
      'unsupported',
      'The file holds pending mutations: without a remote no server can confirm them.',
    );
  }
  await core.parts.mutations.durable();
  if (remote && content.rows) await refuseUnfilled(core);
  const portable = await PortableCore.begin(core);
  try {
    // All of it is checked before any of it is written.
    const made = content.mutations.map((mutation) => pendingOf(core, portable, mutation));
    const at = host.clock.now() + core.parts.sync.status.clockOffsetMs;
    const created = creating(portable, rowsToCreate(core, content), importName, at);
    const appended = await actionsToAppend(core, portable, content);
    const others = [...appended, ...made].map((mutation) => portable.write(mutation));
    const records = [...created.map(({ record }) => record), ...others];
    for (const { body } of records) core.parts.core.checkLogged(body);
    if (remote) await logRecords(core, records);
    else await logHere(core, created, appended);
  } finally {
    portable.close();
  }
}

function refuseOthers(core: DatabaseCore, content: FileContent): void {
  const { options, codec } = core.parts;
  if (content.user !== null && content.user !== (options.user ?? null)) {
    throw new ValidationError(
      'other_user',
      `The file is of another user (${content.user}): their changes are not yours to make.`,
    );
  }
  const { version, byName } = codec.schema;
  if (content.schema > version) {
    throw new UpdateNeededError(
      'file_schema',
      `The file is of schema version ${content.schema}, this application of ${version}.`,
    );
  }
  for (const name of Object.keys(content.rows ?? {})) {
    if (!byName.has(name))
      throw new SchemaError('unknown_table', `The schema has no table ${name}.`);
  }
}

/** Whether a row is on the server is known only when all that this client wants of it is here. */
async function refuseUnfilled(core: DatabaseCore): Promise<void> {
  const [sync] = await readNow(core.parts.storage, [{ store: 'sync', get: 'sync' }]);
  const scopes = (sync as SyncRecord | null)?.scopes ?? [];
  if (scopes.length > 0 && scopes.every(({ filled }) => filled === true)) return;
  throw new SkerryError(
    'not_filled',
    'Rows can be imported after the first synchronisation: what the server has must not be overwritten.',
    { retryable: true },
  );
}

/** A mutation that could not be read where the file was made may be readable here. */
function pendingOf(
  core: DatabaseCore,
  portable: PortableCore,
  mutation: PlainMutation | UnreadableMutation,
): PlainMutation {
  if (!('unreadable' in mutation)) return inRealms(mutation, ownRealms(core));
  const refuse = (why: string, cause?: unknown) =>
    new UpdateNeededError('version', `Mutation ${mutation.id} cannot be read: ${why}`, { cause });
  let read: ReturnType<PortableCore['read']>;
  try {
    read = portable.read(fromBase64(mutation.body));
  } catch (cause) {
    throw refuse(mutation.unreadable, cause);
  }
  const { leftOut, ...whole } = read;
  if (leftOut !== undefined) throw refuse(leftOut);
  return inRealms(whole, ownRealms(core));
}

/** Data that were made without a user become the user's own. */
export function ownRealms(core: DatabaseCore): ReadonlyMap<string, string> {
  const { defaultRealm, user, remote } = core.parts.options;
  const own = defaultRealm ?? (remote && user !== undefined ? `user:${user}` : 'local');
  return new Map([['local', own]]);
}

/** Where what is in a realm of the file goes, if not to the same. */
function realmsOf(core: DatabaseCore, { user }: FileContent): ReadonlyMap<string, string> {
  const realms = new Map(ownRealms(core));
  // Without a remote a user has no realm of their own.
  if (!core.parts.options.remote && user !== null)
    realms.set(`user:${user}`, realms.get('local') as string);
  return realms;
}

/** Those that are not here. What only the server has, it knows by its id. */
async function actionsToAppend(
  core: DatabaseCore,
  portable: PortableCore,
  content: FileContent,
): Promise<PlainMutation[]> {
  const realms = realmsOf(core, content);
  // An action may be in several realms and streams, of which only some are here.
  const here = new Set<string>();
  for (const [from, streams] of Object.entries(content.streams ?? {})) {
    const realm = realms.get(from) ?? from;
    for (const stream of Object.keys(streams)) {
      const read = { store: 'actions', range: rangeOf(realm, stream) };
      const [rows] = await readNow(core.parts.storage, [read]);
      for (const { value } of rows as StoredActions[])
        for (const { id } of portable.actions(value.body)) here.add(actionKey(realm, stream, id));
    }
  }
  return appending(content.streams ?? {}, realms, ({ id }, from, stream) => {
    const realm = realms.get(from) ?? from;
    return !here.has(actionKey(realm, stream, id)) && core.parts.core.mayWrite(realm);
  });
}

function rowsToCreate(core: DatabaseCore, content: FileContent): TableRow[] {
  const { codec } = core.parts;
  const { rows } = content;
  const realms = realmsOf(core, content);
  const wanted: TableRow[] = [];
  for (const [table, byRealm] of Object.entries(rows ?? {})) {
    const { index } = codec.table(table).table;
    for (const [realm, list] of Object.entries(byRealm)) {
      for (const row of list) {
        const target = realms.get(realm) ?? realm;
        if (core.parts.core.find(index, row.id, target) >= 0) continue;
        if (core.parts.core.mayWrite(target))
          wanted.push({ table, row: { ...row, revision: 0, realm } });
      }
    }
  }
  return rowsInRealms(wanted, realms);
}

/** Without a remote this window logs by itself. */
async function logHere(
  core: DatabaseCore,
  created: readonly Creation[],
  appended: readonly PlainMutation[],
): Promise<void> {
  for (const mutation of created) await createHere(core, mutation);
  const logged = appended.map(({ id, name, at, arg, ops }) =>
    core.parts.mutations.appendAgain(
      { id: id ?? '', at },
      name,
      JSON.stringify(arg ?? null),
      ops.map(({ stream = '', realm }) => ({ stream, realm })),
    ),
  );
  await Promise.all(logged.map(({ durable }) => durable));
}

/** A row that exists meanwhile stays as it is. */
async function createHere(core: DatabaseCore, { name, ops }: Creation): Promise<void> {
  const { codec } = core.parts;
  const { durable } = core.parts.mutations.run(name, 'null', () => {
    for (const { table = '', id = '', realm, set } of ops) {
      const { index, props } = codec.table(table).table;
      if (core.parts.core.find(index, id, realm ?? null) >= 0) continue;
      const plain = { ...(set as Record<string, unknown>) };
      for (const prop of props) {
        const value = plain[prop.name];
        if (prop.type === 'bytes' && typeof value === 'string')
          plain[prop.name] = fromBase64(value);
      }
      core.parts.core.op('create', index, id, realm, plain);
    }
  });
  await durable;
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
