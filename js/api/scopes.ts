/** The scopes that a window wants (`db.sync.scope`, `scopes` of `open`), and their state. */

import type { SyncScope, WantedScope } from '../core/core-types.ts';
import { ClosedError, errorFromCode, type SkerryError } from '../core/errors.ts';
import type { ScopesFailed } from '../core/messages.ts';
import type { Backoff } from '../host/backoff.ts';
import type { Timers } from '../host/timers.ts';
import { scopeOf } from './query.ts';
import { disposable } from './stop.ts';

export type Scope = { readonly ready: Promise<void>; unsubscribe(): void } & Disposable;

export interface ScopesParts {
  readonly local: boolean;
  readonly timers: Timers;
  readonly backoff: Backoff;
  /** Whether there is a worker that takes messages. */
  readonly isWorkerRunning: () => boolean;
  /** Throws where a window may not want all of these together. */
  readonly checkScopes: (wanted: readonly WantedScope[]) => void;
  /** Scopes that this window wants from now on, or no longer. */
  readonly changeScopes: (add: readonly WantedScope[], drop: readonly WantedScope[]) => void;
}

interface Status {
  /** What storage has, of all windows. */
  held(): readonly SyncScope[];
  /** Resolves when `done` says so after a change of the status, unless it is aborted. */
  until(done: () => boolean, signal: AbortSignal): Promise<void>;
  /** Why some were left out; null: none is any more. */
  show(error: SkerryError | null): void;
}

export class Scopes {
  readonly #parts: ScopesParts;
  readonly #status: Status;
  readonly #wanted: WantedScope[] = [];
  /** Scopes that this window wants no longer, but storage may still have. */
  readonly #unstored: WantedScope[] = [];
  /** Scopes whose `ready` is pending. */
  readonly #awaited = new Map<WantedScope, AbortController>();
  #leftOut: readonly WantedScope[] = [];

  constructor(parts: ScopesParts, status: Status) {
    this.#parts = parts;
    this.#status = status;
  }

  ask(query: unknown): Scope {
    const filter = scopeOf(query);
    this.#parts.checkScopes([...this.#wanted, filter]);
    this.#wanted.push(filter);
    // Before the core is asked, because it may refuse the scope at once.
    const ready = this.#parts.local ? Promise.resolve() : this.#ready(filter);
    this.#parts.changeScopes([filter], []);
    const unsubscribe = () => this.#giveUp(filter);
    return disposable({ ready, unsubscribe }, unsubscribe);
  }

  #ready(filter: WantedScope): Promise<void> {
    const stop = new AbortController();
    this.#awaited.set(filter, stop);
    const isFilled = () =>
      this.#status.held().some((scope) => scope.filled === true && sameScope(scope, filter));
    const ready = this.#status.until(isFilled, stop.signal);
    const settled = () => this.#awaited.delete(filter);
    ready.then(settled, settled);
    return ready;
  }

  #giveUp(filter: WantedScope): void {
    const at = this.#wanted.indexOf(filter);
    if (at < 0) return;
    this.#wanted.splice(at, 1);
    const error = new ClosedError('closed', 'The scope was unsubscribed before it was ready.');
    this.#awaited.get(filter)?.abort(error);
    this.changed();
    // Another call may have asked for the same part.
    if (holds(this.#wanted, filter)) return;
    // The page is frozen, or between two workers: the next worker gets the filter.
    if (this.#parts.isWorkerRunning()) this.#parts.changeScopes([], [filter]);
    else if (!this.#parts.local) this.#unstored.push(filter);
  }

  /** The option `scopes` of `open`: posted to the worker when it starts. */
  want(scopes: readonly WantedScope[]): void {
    this.#parts.checkScopes(scopes);
    this.#wanted.push(...scopes);
  }

  /** Posts what this window wants, and what it wants no longer but storage may still have. */
  post(): void {
    const unwanted = this.#unstored.splice(0).filter((filter) => !holds(this.#wanted, filter));
    if (this.#wanted.length + unwanted.length > 0) this.#parts.changeScopes(this.#wanted, unwanted);
  }

  /** Posts to the worker again what this window wants, after a pause. The `ready` of a scope that was left out rejects at once. */
  failed({ error: { code, message, retryable }, drop, leftOut }: ScopesFailed): void {
    this.#unstored.push(...drop);
    this.#parts.timers.set('scopes', this.#parts.backoff.next(), () => this.post());
    if (!leftOut) return;
    const error = errorFromCode(code, message, { retryable });
    this.#leftOut = leftOut;
    for (const [filter, stop] of [...this.#awaited]) if (holds(leftOut, filter)) stop.abort(error);
    this.#status.show(error);
  }

  /** The core has refused this scope: it is removed, and its `ready` rejects. The other scopes stay. */
  refused(filter: WantedScope, error: SkerryError): void {
    const others = this.#wanted.filter((wanted) => !sameScope(wanted, filter));
    this.#wanted.splice(0, this.#wanted.length, ...others);
    for (const [awaited, stop] of [...this.#awaited])
      if (sameScope(awaited, filter)) stop.abort(error);
  }

  /** Storage has others, or this window wants others: what was left out may be there now, or wanted no longer. */
  changed(): void {
    if (this.#leftOut.length === 0) return;
    const held = this.#status.held();
    this.#leftOut = this.#leftOut.filter(
      (filter) => holds(this.#wanted, filter) && !holds(held, filter),
    );
    if (this.#leftOut.length === 0) this.#status.show(null);
  }

  close(): void {
    this.#parts.timers.cancel('scopes');
  }
}

function holds(scopes: readonly WantedScope[], filter: WantedScope): boolean {
  return scopes.some((scope) => sameScope(scope, filter));
}

function sameScope(a: WantedScope, b: WantedScope): boolean {
  return a.table === b.table && JSON.stringify(a.where) === JSON.stringify(b.where);
}
