// Seeding: a module lists rows, and a client of the system's own pushes them, in large updates, each committed
// together with a marker of progress. After a kill, the next start continues from the marker.

import { createHash, randomUUID } from 'node:crypto';
import { isObject, type JsonObject } from '../base/json.ts';
import { Problem } from '../base/problem.ts';
import type { Database } from '../db/database.ts';
import type { Committer } from '../push/commit.ts';
import type { PokedEntry } from '../push/done.ts';
import type { Caller } from '../rights/rights.ts';
import { readMeta, writeMeta } from '../sql/meta.ts';

export interface SeedRow {
  readonly table: string;
  readonly id: string;
  readonly realm: string;
  readonly set: JsonObject;
}

type SeedRows = Iterable<SeedRow> | AsyncIterable<SeedRow>;
export type Seed = SeedRows | (() => SeedRows | Promise<SeedRows>);

export interface SeedOptions {
  readonly database: Database;
  readonly committer: Committer;
  readonly seed: Seed;
  readonly progress: (rows: number, done: boolean) => void;
  readonly committed?: (entries: readonly PokedEntry[]) => void;
}

const kUser = 'system';
const kRowsPerUpdate = 5_000;
const kMarker = 'seed';
const kClient = 'seed_client';

interface SeedProgress {
  readonly rows: number;
  readonly done: boolean;
}

function isRow(value: unknown): value is SeedRow {
  return (
    isObject(value) &&
    ['table', 'id', 'realm'].every((name) => typeof value[name] === 'string') &&
    isObject(value.set)
  );
}

/** An id derived from its name, so that a batch written again is the same update. */
function idOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

async function* batches(rows: SeedRows, skip: number): AsyncGenerator<SeedRow[], void, void> {
  let batch: SeedRow[] = [];
  let number = 0;
  for await (const row of rows) {
    if (!isRow(row)) throw new Error(`The seed's row ${number} is not {table, id, realm, set}.`);
    if (number++ < skip) continue;
    const full = batch.length >= kRowsPerUpdate || (batch[0] && batch[0].realm !== row.realm);
    if (full) {
      yield batch;
      batch = [];
    }
    batch.push(row);
  }
  if (batch.length > 0) yield batch;
}

/** Whether to seed the database: it is empty, or a seeding was interrupted. */
async function wanted(database: Database): Promise<SeedProgress | null> {
  const text = await readMeta(database, kMarker);
  if (text !== null) {
    const marker = JSON.parse(text) as SeedProgress;
    return marker.done ? null : marker;
  }
  const [log] = await database.query<{ any: string }>(
    'select exists(select 1 from skerry.log)::text as any',
  );
  return log?.any === 'true' ? null : { rows: 0, done: false };
}

/**
 * The client identity for seeding this database. It is the same for nodes that start together, and no caller can bind
 * it to themselves first.
 */
async function clientOf(database: Database): Promise<string> {
  await database.query(
    `insert into skerry.meta (key, value) values ($1::text, $2::text) on conflict (key) do nothing`,
    [kClient, randomUUID()],
  );
  const client = await readMeta(database, kClient);
  if (client === null) throw new Error('The seed has no client.');
  return client;
}

async function linkOf(
  database: Database,
  client: string,
  realm: string,
): Promise<JsonObject | null> {
  const [row] = await database.query<{ seq: string; id: string | null }>(
    `select seq::text as seq, update_id as id from skerry.chain where realm = $1::text and client = $2::text`,
    [realm, client],
  );
  return row?.id == null ? null : { seq: Number(row.seq), id: row.id };
}

function updateOf(batch: readonly SeedRow[], after: JsonObject | null, from: number): JsonObject {
  const { realm } = batch[0] as SeedRow;
  return {
    id: idOf(`update ${from} ${batch.length}`),
    after: { [realm]: after },
    base: { [realm]: 0 },
    at: Date.now(),
    actions: [
      {
        id: idOf(`action ${from} ${batch.length}`),
        name: 'skerry/seed',
        arg: { from },
        at: Date.now(),
      },
    ],
    ops: batch.map(({ table, id, set }) => ({ op: 'create', table, id, realm, set, by: [0] })),
  };
}

/** Seeds the database if it is empty or half seeded. Returns the realms that it wrote to. */
export async function runSeed(options: SeedOptions): Promise<ReadonlySet<string>> {
  const { database, committer, seed, progress } = options;
  const marker = await wanted(database);
  const realms = new Set<string>();
  if (marker === null) return realms;
  const client = await clientOf(database);
  const rows = typeof seed === 'function' ? await seed() : seed;
  let done = marker.rows;
  for await (const batch of batches(rows, marker.rows)) {
    const { realm } = batch[0] as SeedRow;
    const user: Caller = { id: kUser, grants: new Map([[realm, 'write']]), expires: null };
    const update = updateOf(batch, await linkOf(database, client, realm), done);
    const next = done + batch.length;
    const mark = (isLast: boolean) => JSON.stringify({ rows: next, done: isLast });
    const { results, entries } = await committer.commit([{ client, user, epoch: null, update }], {
      isRuled: false,
      wait: true,
      alongside: (tx) => writeMeta(tx, kMarker, mark(false)),
    });
    const [result] = results;
    // A duplicate: another node, started at the same time, was first.
    const written =
      !(result instanceof Problem) && /^(applied|duplicate)$/.test(`${result?.status}`);
    if (!written) {
      throw new Error(`The seed was refused: ${JSON.stringify(result)}`);
    }
    options.committed?.(entries);
    realms.add(realm);
    done = next;
    progress(done, false);
  }
  await writeMeta(database, kMarker, JSON.stringify({ rows: done, done: true }));
  progress(done, true);
  return realms;
}
