/** What workers report of their requests (TraceMessage), while an inspector is open. */
import type { TraceMessage } from '../core/messages.ts';
import { inspectorLimits } from './limits.ts';
import { Ring } from './ring.ts';
import { textOf } from './stored.ts';
import type { InspectedRequest } from './view.ts';

export class Requests {
  readonly #window: string;
  readonly #ring = new Ring<InspectedRequest>(inspectorLimits.requests);

  constructor(window: string) {
    this.#window = window;
  }

  get dropped(): number {
    return this.#ring.dropped;
  }

  all(): readonly InspectedRequest[] {
    return this.#ring.all();
  }

  /** A worker that was started again begins its numbers again. */
  take(trace: TraceMessage): void {
    const { from, at, id, method, path, sent, ms, status, received, error } = trace;
    this.#ring.set(`${from} ${at} ${id}`, {
      ...{ from: textOf(from), by: this.#by(textOf(from)), at: Number(at) },
      ...{ method: textOf(method), path: textOf(path), sent: Number(sent) },
      status: status ?? null,
      received: received ?? null,
      ms: ms === undefined ? null : Math.round(ms),
      error: error ? textOf(error.message) : null,
    });
  }

  #by(from: string): InspectedRequest['by'] {
    if (from.startsWith('service-')) return 'service-worker';
    return from === this.#window ? 'this-window' : 'another-window';
  }
}
