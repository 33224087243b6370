// Makes a snapshot of one stream up to its end: reads its actions page by page, and has them folded elsewhere (folder.ts). A
// stream that cannot be folded is set apart.

import { limits } from '../base/limits.ts';
import type { Database, Queryable } from '../db/database.ts';
import type { StreamAddress } from './actions.ts';
import { setApart } from './apart.ts';
import { type Folder, FolderGone, type MadeState, type PageDone, Unfoldable } from './folder.ts';
import type { NamedReducer } from './reducers.ts';
import { readLastState, type StoredState, writeSnapshot } from './snapshot-rows.ts';

export interface FoldParts {
  readonly database: Database;
  readonly folder: Folder;
  readonly log: (message: string, error: unknown) => void;
}

interface Failed {
  count: number;
  first: PageDone['first'];
}

interface Made {
  /** Null: there is nothing new, or none that could be kept. */
  readonly made: MadeState | null;
  /** All actions up to this revision are in it. */
  readonly revision: number;
  readonly failed: Failed;
  /** The state's bytes, if they are too many. */
  readonly over: number | null;
}

interface ActionRow {
  readonly id: string;
  readonly arg: string | null;
  readonly revision: string;
}

/** As many as one entry may have. */
const kRowsPerPage = limits.actionsPerUpdate;

/** The next whole entries after a revision: as many as have so many actions and `streamBytes`, but at least one. */
async function readNext(
  tx: Queryable,
  { realm, stream }: StreamAddress,
  revision: number,
): Promise<ActionRow[]> {
  const rows = await tx.query<ActionRow & Record<string, unknown>>(
    `select p.id, p.arg::text as arg, p.revision::text as revision
       from (select a.id, a.arg, a.revision, a.position,
                    count(*) over w as upto, sum(a.bytes) over w as upto_bytes, min(a.revision) over () as first
               from (select * from skerry.append a
                      where a.realm = $1::text collate "C" and a.stream = $2::text collate "C"
                        and a.revision > $3::bigint
                      order by a.revision, a.position limit ${kRowsPerPage + 1}) a
             window w as (order by a.revision)) p
      where p.revision = p.first or (p.upto <= ${kRowsPerPage} and p.upto_bytes <= ${limits.streamBytes})
      order by p.revision, p.position`,
    [realm, stream, String(revision)],
  );
  if (rows.length > kRowsPerPage)
    throw new Error(`The entry ${rows[0]?.revision} has more than ${kRowsPerPage} actions.`);
  return rows;
}

/** A fold that may fail on the way: how far it has come is known then. */
class Fold {
  readonly #parts: FoldParts;
  readonly #place: StreamAddress;
  readonly #version: number;
  readonly #isWanted: () => boolean;
  revision = 0;

  constructor(parts: FoldParts, place: StreamAddress, version: number, isWanted: () => boolean) {
    this.#parts = parts;
    this.#place = place;
    this.#version = version;
    this.#isWanted = isWanted;
  }

  /** Null: it is no longer wanted. */
  async run(from: StoredState | null): Promise<Made | null> {
    const { database, folder } = this.#parts;
    const { stream } = this.#place;
    this.revision = from?.revision ?? 0;
    const failed: Failed = { count: 0, first: null };
    let measuredAt: number | null = null;
    let actions = 0;
    await folder.begin({ stream, version: this.#version, from });
    for (;;) {
      if (!this.#isWanted()) return null;
      const page = await readNext(database, this.#place, this.revision);
      const last = page.at(-1);
      if (last === undefined) break;
      const done = await folder.page(page.map(({ id, arg }) => ({ id, arg })));
      failed.count += done.failed;
      failed.first ??= done.first;
      if (done.over !== null) return this.#stopped(done.over, measuredAt, failed);
      this.revision = Number(last.revision);
      actions += page.length;
      if (done.isMeasured) measuredAt = this.revision;
    }
    const isOld = from !== null && from.version !== this.#version;
    if (actions === 0 && !isOld) return { made: null, revision: this.revision, failed, over: null };
    const { made, over } = await folder.finish();
    if (over !== null) return this.#stopped(over, measuredAt, failed);
    return { made, revision: this.revision, failed, over };
  }

  /** The state has become too large: what it was when it was measured before can be kept. */
  async #stopped(over: number, measuredAt: number | null, failed: Failed): Promise<Made> {
    const made = measuredAt === null ? null : await this.#parts.folder.kept();
    return { made, revision: measuredAt ?? this.revision, failed, over };
  }
}

/** Tries it again if the process has ended meanwhile, since the machine may have been at fault. */
async function run(fold: Fold, from: StoredState | null): Promise<Made | null> {
  for (let tries = 1; ; tries++) {
    try {
      return await fold.run(from);
    } catch (error) {
      if (!(error instanceof FolderGone) || tries >= limits.foldTries) throw error;
    }
  }
}

/** Makes a snapshot of a stream up to its end, unless nothing is new. */
export async function makeSnapshot(
  parts: FoldParts,
  place: StreamAddress,
  { version, migrate }: NamedReducer,
  isWanted: () => boolean,
): Promise<void> {
  const { database, log } = parts;
  const { realm, stream } = place;
  const atLeast = migrate === null ? version : 1;
  const versions = { atLeast, atMost: version };
  const { last, floor } = await readLastState(database, realm, stream, versions);
  // There is no state, and the first actions are gone.
  if (last === null && floor > 0) return;
  const fold = new Fold(parts, place, version, isWanted);
  let result: Made | null = null;
  let fault: Unfoldable | null = null;
  try {
    result = await run(fold, last);
  } catch (error) {
    if (!(error instanceof Unfoldable)) throw error;
    fault = error;
  }
  const { made = null, revision = 0, failed = null, over = null } = result ?? {};
  if (failed?.first)
    log(
      `The reducer of the stream ${stream} (version ${version}) has left out ${failed.count} actions, the first of them ${failed.first.id}.`,
      failed.first.reason,
    );
  if (made !== null)
    await database.transaction({ mode: 'write' }, (tx) =>
      writeSnapshot(tx, realm, stream, { ...made, version, revision }, last?.revision ?? 0),
    );
  if (over !== null)
    fault = new Unfoldable(
      'state',
      `Its state has ${over} bytes, and may have ${limits.stateBytes}: it takes no more actions.`,
    );
  if (fault === null) return;
  if (!(await setApart(database, place, version, fold.revision, fault))) return;
  log(
    `The stream ${JSON.stringify(stream)} of the realm ${JSON.stringify(realm)} is set apart at revision ${fold.revision}: version ${version} of its reducer cannot fold it.`,
    fault.message,
  );
}
