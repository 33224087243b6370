// Makes snapshots of the streams that the schema module has reducers for, at the start, and after so many actions, or bytes of
// them; and forgets actions that are in them and old. One stream is folded at a time. Several nodes may fold the same one:
// the first snapshot of a revision stays.

import { limits } from '../base/limits.ts';
import { pauseOf } from '../base/pause.ts';
import { SetupError } from '../base/setup-error.ts';
import type { Database } from '../db/database.ts';
import type { StreamAddress } from './actions.ts';
import { type FoldParts, makeSnapshot } from './folding.ts';
import { forgetActions } from './forgetting.ts';
import type { ReducerTable } from './reducers.ts';

export interface SnapshotParts extends FoldParts {
  readonly reducers: ReducerTable;
  /** A snapshot is made after so many actions. */
  readonly every: number;
  /** Actions of streams that have snapshots are forgotten when they are so old. */
  readonly retentionMs: number;
}

interface AppendedEntry {
  readonly realm: string;
  readonly streams: readonly string[];
  readonly appends: number;
}

const kPlacesAtOnce = 1_000;
/** So often it is looked whether a stream is due, until it is. */
const kLooks = 50;
/** Streams with actions since their last snapshot, of which this node keeps count. */
const kMostCounted = 100_000;

const keyOf = ({ realm, stream }: StreamAddress) => JSON.stringify([realm, stream]);

export class StreamSnapshots {
  readonly #parts: SnapshotParts;
  /** Actions since this node last looked whether a stream is due, those of an entry counted for each of its streams. */
  readonly #counts = new Map<string, number>();
  readonly #queue = new Map<string, StreamAddress>();
  #working: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
  }

  get every(): number {
    return this.#parts.every;
  }

  /** The version of the reducer that this node has for a stream; null: none. */
  versionOf(stream: string): number | null {
    return this.#parts.reducers.of(stream)?.version ?? null;
  }

  /** Makes those that are due, in the background. */
  begin(): void {
    if (this.#parts.reducers.isEmpty) return;
    const all = () => this.#work(() => this.#findAll());
    all();
    // Also for what other nodes have taken.
    this.#timer = setInterval(all, pauseOf(this.#parts.retentionMs));
    this.#timer.unref();
  }

  /** Entries were committed by this node, with the streams to which they append. */
  committed(entries: readonly AppendedEntry[]): void {
    const { reducers, every } = this.#parts;
    if (reducers.isEmpty) return;
    for (const { realm, streams, appends } of entries) {
      for (const stream of streams) {
        if (reducers.of(stream) === null) continue;
        const place = { realm, stream };
        const key = keyOf(place);
        const count = (this.#counts.get(key) ?? 0) + appends;
        if (count < every / kLooks) this.#counts.set(key, count);
        else this.#enqueue(place);
      }
    }
    // Those that are forgotten are found at the next start.
    if (this.#counts.size > kMostCounted) this.#counts.clear();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#queue.clear();
    // A page that takes long is not waited for.
    await this.#parts.folder.close();
    while (this.#working !== null) await this.#working;
  }

  #enqueue(place: StreamAddress): void {
    const key = keyOf(place);
    this.#counts.delete(key);
    this.#queue.set(key, place);
    this.#work(async () => {});
  }

  #work(first: () => Promise<void>): void {
    if (this.#isClosed) return;
    this.#working ??= this.#run(first).finally(() => {
      this.#working = null;
      if (this.#queue.size > 0) this.#work(async () => {});
    });
  }

  async #run(first: () => Promise<void>): Promise<void> {
    await this.#logged('The streams that need snapshots could not be found.', first);
    for (;;) {
      const [next] = this.#queue;
      if (next === undefined || this.#isClosed) return;
      const [key, place] = next;
      this.#queue.delete(key);
      await this.#logged(`No snapshot of the stream ${key} could be made.`, () =>
        this.#make(place),
      );
      await this.#logged(`Old actions of the stream ${key} could not be forgotten.`, () =>
        this.#forget(place),
      );
    }
  }

  async #logged(failed: string, work: () => Promise<void>): Promise<void> {
    if (this.#isClosed) return;
    try {
      await work();
    } catch (error) {
      if (!this.#isClosed) this.#parts.log(failed, error);
    }
  }

  /** Those that have actions, and those that have snapshots: all actions of one may be gone. */
  async #findAll(): Promise<void> {
    await this.#find(readPlaces);
    await this.#find(readKnown);
  }

  async #find(read: typeof readPlaces): Promise<void> {
    let after: StreamAddress | null = null;
    do {
      const places: readonly StreamAddress[] = await read(this.#parts.database, after);
      after = places.at(-1) ?? null;
      for (const place of places) {
        if (this.#parts.reducers.of(place.stream) !== null) this.#queue.set(keyOf(place), place);
      }
    } while (after !== null && !this.#isClosed);
  }

  async #forget(place: StreamAddress): Promise<void> {
    const { database, reducers, retentionMs } = this.#parts;
    const reducer = reducers.of(place.stream);
    if (reducer !== null) await forgetActions(database, place, reducer.version, retentionMs);
  }

  async #make(place: StreamAddress): Promise<void> {
    const reducer = this.#parts.reducers.of(place.stream);
    if (reducer === null || !(await this.#isDue(place, reducer.version))) return;
    await makeSnapshot(this.#parts, place, reducer, () => !this.#isClosed);
  }

  /** Whether there are enough actions since the last snapshot, or none of this version. Never, if it is set apart. */
  async #isDue({ realm, stream }: StreamAddress, version: number): Promise<boolean> {
    const { database, every } = this.#parts;
    const [row] = await database.query<{ due: string }>(
      `with made as (
         select s.version, s.revision from skerry.stream_snapshot s
          where s.realm = $1::text collate "C" and s.stream = $2::text collate "C"),
       fresh as (
         select count(*) as actions, coalesce(sum(f.bytes), 0) as bytes
           from (select a.bytes from skerry.append a
                  where a.realm = $1::text collate "C" and a.stream = $2::text collate "C"
                    and a.revision > coalesce((select max(m.revision) from made m where m.version = $3::bigint), 0)
                  order by a.revision, a.position limit ${every}) f)
       select (case when exists (select 1 from skerry.stream_apart x
                      where x.realm = $1::text collate "C" and x.stream = $2::text collate "C"
                        and x.version = $3::bigint) then false
                    else (select f.actions >= ${every} or f.bytes >= ${limits.bytesPerSnapshot} from fresh f)
                         or (exists (select 1 from made m where m.version < $3::bigint)
                             and not exists (select 1 from made m where m.version = $3::bigint))
               end)::text as due`,
      [realm, stream, String(version)],
    );
    return row?.due === 'true';
  }
}

/** The next streams that have actions, by realm and name. */
async function readPlaces(
  database: Database,
  after: StreamAddress | null,
): Promise<readonly StreamAddress[]> {
  // Each step finds the next one by the index, however many actions there are.
  return database.query<{ realm: string; stream: string }>(
    `with recursive place as (
       (select a.realm, a.stream, 1 as number from skerry.append a
         where $1::text is null or (a.realm, a.stream) > ($1::text collate "C", $2::text collate "C")
         order by a.realm, a.stream limit 1)
       union all
       select n.realm, n.stream, p.number + 1
         from place p
        cross join lateral (
          select a.realm, a.stream from skerry.append a
           where (a.realm, a.stream) > (p.realm, p.stream) order by a.realm, a.stream limit 1) n
        where p.number < ${kPlacesAtOnce})
     select realm, stream from place order by number`,
    [after?.realm ?? null, after?.stream ?? null],
  );
}

/** The next streams that have snapshots, by realm and name. */
async function readKnown(
  database: Database,
  after: StreamAddress | null,
): Promise<readonly StreamAddress[]> {
  return database.query<{ realm: string; stream: string }>(
    `select k.realm, k.stream from skerry.stream k
      where $1::text is null or (k.realm, k.stream) > ($1::text collate "C", $2::text collate "C")
      order by k.realm, k.stream limit ${kPlacesAtOnce}`,
    [after?.realm ?? null, after?.stream ?? null],
  );
}

/**
 * Refuses a server whose reducer cannot go on where actions are gone: it has a version of which there is no state, and takes
 * over none.
 */
export async function checkReducersFit(database: Database, reducers: ReducerTable): Promise<void> {
  const rows = await database.query<{ realm: string; stream: string; versions: string }>(
    `select k.realm, k.stream, json_agg(distinct s.version)::text as versions
       from skerry.stream k
       join skerry.stream_snapshot s on s.realm = k.realm and s.stream = k.stream and s.revision >= k.floor
      where k.floor > 0
      group by k.realm, k.stream`,
  );
  for (const { realm, stream, versions } of rows) {
    const reducer = reducers.of(stream);
    if (reducer === null) continue;
    const { version, migrate } = reducer;
    const known = JSON.parse(versions) as number[];
    const fits = known.some((one) => one === version || (migrate !== null && one < version));
    if (!fits)
      throw new SetupError(
        `\`reducers\`: the stream ${JSON.stringify(stream)} of the realm ${JSON.stringify(realm)} has forgotten actions, and there is no state of version ${version} of its reducer, but of ${known.join(', ')}: give it a \`migrate\`, or the version of before.`,
      );
  }
}
