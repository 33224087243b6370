// Reads the actions of a stream page by page, and has them folded.

import { limits } from '../base/limits.ts';
import type { Database, Queryable } from '../db/database.ts';
import type { Failed, FoldedAction } from './fold-state.ts';
import type { Folder } from './folder.ts';

export interface StreamPlace {
  readonly realm: string;
  readonly stream: string;
}

interface ReadAction extends FoldedAction {
  readonly revision: string;
  readonly position: number;
}

/** What a fold has come to. */
export interface Folded {
  /** All actions up to this revision are in the state. */
  readonly revision: number;
  readonly actions: number;
  readonly failed: Failed;
}

/** Behind all actions of an entry. */
const kAfterAll = 2 ** 31 - 1;
const kRowsPerPage = 1_000;

/** The next actions after a place, in order; fewer than all if they have many bytes. */
async function readNext(
  tx: Queryable,
  { realm, stream }: StreamPlace,
  revision: number,
  position: number,
): Promise<ReadAction[]> {
  return tx.query<ReadAction & Record<string, unknown>>(
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

/** Folds the actions above revision `from`, into the state with which `folder` has begun. `isWanted`: false ends it, and the result is null. */
export async function fold(
  database: Database,
  place: StreamPlace,
  folder: Folder,
  from: number,
  isWanted: () => boolean,
): Promise<Folded | null> {
  let [revision, position, actions, count] = [from, kAfterAll as number, 0, 0];
  let first: Failed['first'] = null;
  for (;;) {
    if (!isWanted()) return null;
    const page = await readNext(database, place, revision, position);
    const last = page.at(-1);
    if (last === undefined) return { revision, actions, failed: { count, first } };
    const failed = await folder.fold(page.map(({ id, arg }) => ({ id, arg })));
    count += failed.count;
    first ??= failed.first;
    actions += page.length;
    [revision, position] = [Number(last.revision), last.position];
  }
}
