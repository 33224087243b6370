/** `db.sync.verify`, and what this window compares with the server by itself (docs/design.md, "Comparing"). */

import type { ComparedEffect, MendedEffect } from '../core/core-types.ts';
import { ClosedError, errorFromCode, type SkerryError } from '../core/errors.ts';
import type { Timers } from '../host/timers.ts';
import type { VerifyParts, VerifyProgress } from './verify.ts';

/** A row that differed from the server's. */
export interface MendedRow {
  readonly table: string;
  readonly id: string;
  readonly realm: string;
}

export interface Verified {
  /** Rows that were compared. */
  readonly checked: number;
  /** Rows that differed, and are now as the server has them. Each is a mistake that should be reported. */
  readonly mended: readonly MendedRow[];
  /** Changes of this device that were confirmed before the rows were compared. */
  readonly pushed: number;
  /** Parts of tables that could not be compared now: their initial sync is not done, or they change too fast. */
  readonly skipped: number;
  /** Rows that were mended before, and differ again in the same way: they are left as they are. */
  readonly unmended: number;
}

export interface VerifyOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface ComparingParts extends Pick<VerifyParts, 'ask' | 'clock'> {
  readonly timers: Timers;
  dispatch(event: Parameters<VerifyParts['compare']>[0] & { readonly type: 'compare' }): void;
  /** A number in [0, 1). */
  random(): number;
}

interface PulledSync {
  pull(): Promise<void>;
  pending(): number;
  /** Whether nothing else is to be done, and somebody looks at the page. */
  isIdle(): boolean;
}

/** The first look, whether it is time to compare, and the pause until the next one: the latter up to twice as long. */
const firstLookMs = 60_000;
const looksMs = 1_800_000;

export class Comparing {
  readonly #parts: ComparingParts;
  readonly #sync: PulledSync;
  #answered: { resolve(said: ComparedEffect): void; reject(error: SkerryError): void } | null =
    null;
  #last: Promise<unknown> = Promise.resolve();
  #mended: MendedRow[] = [];
  #goOn = () => {};
  #isClosed = false;

  constructor(parts: ComparingParts, sync: PulledSync) {
    this.#parts = parts;
    this.#sync = sync;
  }

  /** One after the other. */
  verify({ signal, onProgress = () => {} }: VerifyOptions): Promise<Verified> {
    const run = this.#last.then(async () => {
      signal?.throwIfAborted();
      const before = this.#sync.pending();
      await this.#sync.pull();
      const pushed = Math.max(before - this.#sync.pending(), 0);
      const mended: MendedRow[] = [];
      this.#mended = mended;
      const said = await this.#run(await this.#compare({ step: 'begin' }), onProgress, signal);
      const { checked, left, hopeless } = said;
      return { checked, mended, pushed, skipped: left, unmended: hopeless };
    });
    // The next one does not care how this one has ended; its caller does.
    this.#last = run.catch(() => {});
    return run;
  }

  /** Looks now and then whether it is time. */
  lookLater(wait = firstLookMs): void {
    this.#parts.timers.set('compare', wait * (1 + this.#parts.random()), () => {
      this.#last = this.#last
        .then(() => (this.#sync.isIdle() ? this.#ifDue() : undefined))
        // The server could not be asked, or the page was frozen: the next look may find that it can.
        .catch(() => {});
      this.lookLater(looksMs);
    });
  }

  async #ifDue(): Promise<void> {
    await this.#run(await this.#compare({ step: 'ifDue' }), () => {});
  }

  async #run(
    begun: ComparedEffect,
    progress: (progress: VerifyProgress) => void,
    signal?: AbortSignal,
  ): Promise<ComparedEffect> {
    if (begun.next === 'done') return begun;
    const { verify } = await import('./verify.ts');
    const { clock, timers } = this.#parts;
    const parts: VerifyParts = {
      clock,
      stuck: (message) => errorFromCode('no_progress', message),
      turn: () =>
        new Promise((resolve) => {
          this.#goOn = resolve;
          timers.set('turn', 0, resolve);
        }),
      ask: (path, body) => this.#parts.ask(path, body),
      compare: (event) => this.#compare(event),
      pull: () => this.#sync.pull(),
    };
    return verify(parts, begun, progress, signal);
  }

  #compare(event: Parameters<VerifyParts['compare']>[0]): Promise<ComparedEffect> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new ClosedError('closed', 'The database is closed.'));
      this.#answered = { resolve, reject };
      this.#parts.dispatch({ type: 'compare', ...event });
    });
  }

  /** The effect `compared`. */
  compared(said: ComparedEffect): void {
    this.#answered?.resolve(said);
  }

  /** The effect `mended`. */
  mended({ rows }: MendedEffect): readonly MendedRow[] {
    const found = rows.map(({ table, id, realm = '' }) => ({ table, id, realm }));
    this.#mended.push(...found);
    return found;
  }

  close(error: SkerryError): void {
    this.#isClosed = true;
    this.#parts.timers.clear();
    this.#answered?.reject(error);
    // It finds that the database is closed.
    this.#goOn();
  }
}
