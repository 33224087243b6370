// Folds a stream by the application's reducer, page by page, without keeping the process from other work for long.

import { setImmediate as otherWork } from 'node:timers/promises';
import { limits } from '../base/limits.ts';
import type { Database, Queryable } from '../db/database.ts';
import type { NamedReducer, ValueCodec } from './reducers.ts';

export interface StreamPlace {
  readonly realm: string;
  readonly stream: string;
}

interface FoldedAction {
  readonly id: string;
  readonly arg: string | null;
  readonly revision: string;
  readonly position: number;
}

/** What a fold has come to. */
export interface Folded {
  state: unknown;
  /** All actions up to this revision are in the state. */
  revision: number;
  actions: number;
  /** Actions by which the reducer threw: they are left out, as on clients. */
  readonly failed: { count: number; first: { id: string; error: unknown } | null };
}

/** Behind all actions of an entry. */
const kAfterAll = 2 ** 31 - 1;
const kRowsPerPage = 1_000;
/** Other requests wait for no longer than this. */
const kAtOnceMs = 10;

/** The next actions after a place, in order; fewer than all if they have many bytes. */
async function readNext(
  tx: Queryable,
  { realm, stream }: StreamPlace,
  revision: number,
  position: number,
): Promise<FoldedAction[]> {
  return tx.query<FoldedAction & Record<string, unknown>>(
    `select p.id, p.arg, p.revision, p.position
       from (select a.id, a.arg::text as arg, a.revision::text as revision, a.position,
                    row_number() over w as place, sum(a.bytes) over w as upto_bytes
               from (select * from skerry.append a
                      where a.realm = $1::text collate "C" and a.stream = $2::text collate "C"
                        and (a.revision, a.position) > ($3::bigint, $4::integer)
                      order by a.revision, a.position limit ${kRowsPerPage}) a
             window w as (order by a.revision, a.position)) p
      where p.place = 1 or p.upto_bytes <= ${limits.streamBytes}
      order by p.place`,
    [realm, stream, String(revision), String(position)],
  );
}

/**
 * Folds the actions above `begin.revision`. `isWanted`: false ends it, and the result is null. `begin` is changed in place.
 */
export async function fold(
  database: Database,
  place: StreamPlace,
  { reducer }: NamedReducer,
  values: ValueCodec,
  begin: Folded,
  isWanted: () => boolean,
): Promise<Folded | null> {
  let position: number = kAfterAll;
  let revision = begin.revision;
  let since = performance.now();
  for (;;) {
    if (!isWanted()) return null;
    const page = await readNext(database, place, revision, position);
    for (const { id, arg, ...at } of page) {
      try {
        begin.state = reducer(begin.state, values.decode(JSON.parse(arg ?? 'null')));
      } catch (error) {
        begin.failed.count++;
        begin.failed.first ??= { id, error };
      }
      begin.actions++;
      revision = Number(at.revision);
      position = Number(at.position);
      if (performance.now() - since < kAtOnceMs) continue;
      await otherWork();
      since = performance.now();
    }
    if (page.length === 0) break;
  }
  begin.revision = revision;
  return begin;
}
