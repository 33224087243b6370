/** What a restored server has lost goes back to it (docs/design.md, "Another history"): the core makes the requests. */

import type { OfferEffect, OfferedEvent } from '../core/core-types.ts';
import { SkerryError } from '../core/errors.ts';
import { Backoff } from '../host/backoff.ts';
import type { Clock } from '../host/clock.ts';
import type { Timers } from '../host/timers.ts';

export interface GivingBackParts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Sends a request through the worker. */
  ask(path: string, body: string): Promise<unknown>;
  dispatch(event: OfferedEvent): void;
  /** The server has taken back so many rows. */
  restored(rows: number): void;
}

/** The first pause before the core hears that the server could not be asked, and offers again. */
const retry = 1_000;

export class GivingBack {
  readonly #parts: GivingBackParts;
  readonly #backoff: Backoff;

  constructor(parts: GivingBackParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.clock, { retry });
  }

  /** The effect `offer`. */
  offer({ path, request }: OfferEffect): void {
    const { ask, dispatch, restored, timers } = this.#parts;
    ask(path, request).then(
      (answer) => {
        const taken = (answer as { readonly taken?: unknown } | null)?.taken;
        if (typeof taken === 'number' && taken > 0) restored(taken);
        dispatch({ type: 'offered', answer });
      },
      (error: unknown) => {
        const code = error instanceof SkerryError ? error.code : 'internal';
        if (code === 'closed') return;
        const wait = code === 'not_found' ? 0 : this.#backoff.next();
        timers.set('offer', wait, () => dispatch({ type: 'offered', code }));
      },
    );
  }
}
