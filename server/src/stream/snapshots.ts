// Makes snapshots of the streams that the schema module has reducers for, at the start, and after so many actions; and
// forgets actions that are in them and old. One stream is folded at a time. Several nodes may fold the same one: the first snapshot of a revision stays.

import { limits } from '../base/limits.ts';
import { pauseOf } from '../base/pause.ts';
import { SetupError } from '../base/setup-error.ts';
import type { Database } from '../db/database.ts';
import { type Folded, fold, type StreamPlace } from './folding.ts';
import { forgetActions } from './forgetting.ts';
import type { NamedReducer, ReducerTable, ValueCodec } from './reducers.ts';
import { readLastState, type StoredState, writeSnapshot } from './snapshot-rows.ts';

export interface SnapshotParts {
  readonly database: Database;
  readonly reducers: ReducerTable;
  readonly values: ValueCodec;
  /** A snapshot is made after so many actions. */
  readonly every: number;
  /** Actions of streams that have snapshots are forgotten when they are so old. */
  readonly retentionMs: number;
  readonly log: (message: string, error: unknown) => void;
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

/** JSON.stringify writes these as escapes, and nothing else so. */
const halfPair = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

const keyOf = ({ realm, stream }: StreamPlace) => JSON.stringify([realm, stream]);

export class StreamSnapshots {
  readonly #parts: SnapshotParts;
  /** Actions since this node last looked whether a stream is due, those of an entry counted for each of its streams. */
  readonly #counts = new Map<string, number>();
  readonly #queue = new Map<string, StreamPlace>();
  #working: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
  }

  get every(): number {
    return this.#parts.every;
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
    while (this.#working !== null) await this.#working;
  }

  #enqueue(place: StreamPlace): void {
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
    try {
      await first();
    } catch (error) {
      if (!this.#isClosed)
        this.#parts.log('The streams that need snapshots could not be found.', error);
    }
    for (;;) {
      const [next] = this.#queue;
      if (next === undefined || this.#isClosed) return;
      const [key, place] = next;
      this.#queue.delete(key);
      try {
        if (await this.#isDue(place)) await this.#make(place);
        await this.#forget(place);
      } catch (error) {
        if (this.#isClosed) return;
        this.#parts.log(`No snapshot of the stream ${key} could be made.`, error);
      }
    }
  }

  /** Those that have actions, and those that have snapshots: all actions of one may be gone. */
  async #findAll(): Promise<void> {
    await this.#find(readPlaces);
    await this.#find(readKnown);
  }

  async #find(read: typeof readPlaces): Promise<void> {
    let after: StreamPlace | null = null;
    do {
      const places: readonly StreamPlace[] = await read(this.#parts.database, after);
      after = places.at(-1) ?? null;
      for (const place of places) {
        if (this.#parts.reducers.of(place.stream) !== null) this.#queue.set(keyOf(place), place);
      }
    } while (after !== null && !this.#isClosed);
  }

  async #forget(place: StreamPlace): Promise<void> {
    const { database, reducers, retentionMs } = this.#parts;
    const reducer = reducers.of(place.stream);
    if (reducer !== null) await forgetActions(database, place, reducer.version, retentionMs);
  }

  async #isDue({ realm, stream }: StreamPlace): Promise<boolean> {
    const { database, every, reducers } = this.#parts;
    const version = reducers.of(stream)?.version ?? 0;
    const [row] = await database.query<{ due: string }>(
      `with made as (
         select s.version, s.revision from skerry.stream_snapshot s
          where s.realm = $1::text collate "C" and s.stream = $2::text collate "C")
       select (exists (
           select 1 from skerry.append a
            where a.realm = $1::text collate "C" and a.stream = $2::text collate "C"
              and a.revision > coalesce((select max(m.revision) from made m where m.version = $3::bigint), 0)
           offset ${every - 1} limit 1)
         or (exists (select 1 from made m where m.version < $3::bigint)
             and not exists (select 1 from made m where m.version = $3::bigint)))::text as due`,
      [realm, stream, String(version)],
    );
    return row?.due === 'true';
  }

  /** Makes a snapshot of a stream up to its end, unless nothing is new. */
  async #make(place: StreamPlace): Promise<void> {
    const { database, reducers, values, log } = this.#parts;
    const reducer = reducers.of(place.stream);
    if (reducer === null) return;
    const begin = await this.#beginning(place, reducer);
    if (begin === null) return;
    const { revision: from } = begin;
    const folded = await fold(database, place, reducer, values, begin, () => !this.#isClosed);
    if (folded === null || (folded.actions === 0 && !begin.isOfBefore)) return;
    const { count, first } = folded.failed;
    if (first !== null)
      log(
        `The reducer of the stream ${place.stream} (version ${reducer.version}) has left out ${count} actions, the first of them ${first.id}.`,
        first.error,
      );
    const state = JSON.stringify(values.encode(folded.state));
    if (halfPair.test(state))
      throw new Error('Its state holds half of a surrogate pair: no client could read it.');
    if (Buffer.byteLength(state) > limits.stateBytes)
      throw new Error(`Its state has more than ${limits.stateBytes} bytes.`);
    const made: StoredState = { version: reducer.version, revision: folded.revision, state };
    await database.transaction({ mode: 'write' }, (tx) =>
      writeSnapshot(tx, place.realm, place.stream, made, from),
    );
  }

  /** The state from which the fold goes on; null: there is none, and the first actions are gone. */
  async #beginning(
    place: StreamPlace,
    reducer: NamedReducer,
  ): Promise<(Folded & { readonly isOfBefore?: boolean }) | null> {
    const { database, values } = this.#parts;
    const { version, migrate, initialState } = reducer;
    const atLeast = migrate === null ? version : 1;
    const { last, floor } = await readLastState(database, place.realm, place.stream, {
      atLeast,
      atMost: version,
    });
    const none = { actions: 0, failed: { count: 0, first: null } };
    if (last === null) return floor > 0 ? null : { state: initialState, revision: 0, ...none };
    const stored = values.decode(JSON.parse(last.state));
    const isOld = last.version !== version;
    const state = isOld && migrate ? migrate(stored, last.version) : stored;
    return { state, revision: last.revision, isOfBefore: isOld, ...none };
  }
}

/** The next streams that have actions, by realm and name. */
async function readPlaces(
  database: Database,
  after: StreamPlace | null,
): Promise<readonly StreamPlace[]> {
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
  after: StreamPlace | null,
): Promise<readonly StreamPlace[]> {
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
