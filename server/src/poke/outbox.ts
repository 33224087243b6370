// Pokes that wait to be sent. A realm pokes a client at most once in `pokeEveryMs`; what comes earlier is merged into the
// next poke. Pokes are sent in order, for a few milliseconds at a time: a realm with thousands of connected members does not
// keep the event loop from everybody else.

import { limits } from '../base/limits.ts';
import type { Poke } from '../base/wire-types.ts';

/** Who gets pokes. */
export interface Receiver {
  send(frame: string): void;
}

/** What a poke says of a realm. */
export interface News {
  readonly realm: string;
  readonly revision: number;
  readonly tables: Iterable<string>;
  readonly streams: Iterable<string>;
}

interface Merged extends News {
  revision: number;
  readonly tables: Set<string>;
  readonly streams: Set<string>;
}

/** A poke that is due, or the pause after one. */
interface PokePace {
  readonly listener: Receiver;
  readonly key: string;
  merged: Merged | null;
  sentAt: number;
}

export function pokeFrame({ realm, revision, tables, streams }: News): string {
  return JSON.stringify({
    type: 'poke',
    realm,
    revision,
    tables: [...tables].sort(),
    streams: [...streams].sort(),
  } satisfies Poke);
}

export class Outbox {
  readonly #ofListener = new Map<Receiver, Map<string, PokePace>>();
  readonly #now = new Set<PokePace>();
  /** Those with a poke less than `pokeEveryMs` ago, the earliest first. */
  readonly #later = new Set<PokePace>();
  #immediate: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** Pokes of the same key are merged. */
  poke(listener: Receiver, key: string, { realm, revision, tables, streams }: News): void {
    const paces = this.#ofListener.get(listener) ?? new Map<string, PokePace>();
    this.#ofListener.set(listener, paces);
    let pace = paces.get(key);
    if (pace === undefined) {
      pace = { listener, key, merged: null, sentAt: Number.NEGATIVE_INFINITY };
      paces.set(key, pace);
      this.#now.add(pace);
      // Even the first poke waits one turn, so that the entries of one commit become one poke.
      this.#immediate ??= setImmediate(() => this.#send());
    }
    pace.merged ??= { realm, revision: 0, tables: new Set(), streams: new Set() };
    pace.merged.revision = Math.max(pace.merged.revision, revision);
    for (const table of tables) pace.merged.tables.add(table);
    for (const stream of streams) pace.merged.streams.add(stream);
  }

  /** The listener hears nothing of what waits under the key. */
  drop(listener: Receiver, key: string): void {
    const pace = this.#ofListener.get(listener)?.get(key);
    if (pace !== undefined) this.#forget(pace);
  }

  /** The listener hears nothing of what waits. */
  dropAll(listener: Receiver): void {
    for (const pace of this.#ofListener.get(listener)?.values() ?? []) this.#forget(pace);
  }

  /** Sends the listener what waits, and forgets it. */
  flush(listener: Receiver): void {
    for (const pace of this.#ofListener.get(listener)?.values() ?? []) {
      this.#forget(pace);
      if (pace.merged !== null) listener.send(pokeFrame(pace.merged));
    }
  }

  #forget(pace: PokePace): void {
    this.#now.delete(pace);
    this.#later.delete(pace);
    const paces = this.#ofListener.get(pace.listener);
    paces?.delete(pace.key);
    if (paces?.size === 0) this.#ofListener.delete(pace.listener);
  }

  #send(): void {
    this.#immediate = null;
    const until = performance.now() + limits.pokeSliceMs;
    const isDone = this.#sendNow(until) && this.#sendLater(until);
    if (!isDone) this.#immediate ??= setImmediate(() => this.#send());
    const [first] = this.#later;
    if (!isDone || first === undefined || this.#timer !== null) return;
    const wait = Math.max(0, first.sentAt + limits.pokeEveryMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#immediate ??= setImmediate(() => this.#send());
    }, wait);
  }

  /** Returns false if the time is over. */
  #sendNow(until: number): boolean {
    for (const pace of this.#now) {
      this.#now.delete(pace);
      this.#sendOne(pace);
      if (performance.now() > until) return false;
    }
    return true;
  }

  #sendLater(until: number): boolean {
    for (const pace of this.#later) {
      const now = performance.now();
      if (pace.sentAt + limits.pokeEveryMs > now) return true;
      if (pace.merged === null) this.#forget(pace);
      else {
        this.#later.delete(pace);
        this.#sendOne(pace);
      }
      if (now > until) return false;
    }
    return true;
  }

  #sendOne(pace: PokePace): void {
    const { merged, listener } = pace;
    pace.merged = null;
    pace.sentAt = performance.now();
    this.#later.add(pace);
    if (merged !== null) listener.send(pokeFrame(merged));
  }
}
