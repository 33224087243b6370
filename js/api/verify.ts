/**
 * One comparison with the server, after a pull. The core decides everything (src/client/comparison.h); this asks the server,
 * and gives the page its turns. It is loaded when it is first needed, and imports nothing: a module that it shared with the page
 * would be loaded by the page as a file of its own.
 */

import type { ComparedEffect, CompareEvent } from '../core/core-types.ts';
import type { Clock } from '../host/clock.ts';

export interface VerifyProgress {
  /** Rows that were compared so far. */
  readonly checked: number;
}

export interface VerifyParts {
  /** Resolves with the core's answer to an event. */
  compare(event: Omit<CompareEvent, 'type'>): Promise<ComparedEffect>;
  /** Sends a request through the worker. */
  ask(path: string, body: string): Promise<unknown>;
  /** Pulls. */
  pull(): Promise<void>;
  /** Resolves when other tasks of the page have had their turn. */
  turn(): Promise<void>;
  /** The error that says so. */
  stuck(message: string): Error;
  readonly clock: Clock;
}

/** How long a portion of rows is to take, and how many the first one has. */
const sliceMs = 8;
const firstRows = 1000;
/** So many pulls are waited for until a comparison begins, or goes on. */
const mostPulls = 10;

/** Goes on from the core's answer to the event that has begun it. */
export async function verify(
  { compare, ask, pull, turn, stuck, clock }: VerifyParts,
  begun: ComparedEffect,
  progress: (progress: VerifyProgress) => void,
  signal?: AbortSignal,
): Promise<ComparedEffect> {
  let said = begun;
  let rows = firstRows;
  for (let pulls = 0; said.next !== 'done'; ) {
    signal?.throwIfAborted();
    if (said.next === 'ask') {
      const answer = await ask('/diff', said.request ?? '');
      signal?.throwIfAborted();
      said = await compare({ step: 'answer', answer });
      progress({ checked: said.checked });
      continue;
    }
    if (said.next === 'pull') {
      if (++pulls > mostPulls) throw stuck('The data changes faster than it can be compared.');
      await pull();
    } else await turn();
    const began = clock.mono();
    said = await compare({ step: 'work', rows });
    const took = clock.mono() - began;
    // Within a factor, because a single measurement may be that of an interruption.
    rows = Math.round(rows * Math.min(Math.max(sliceMs / Math.max(took, 0.1), 0.5), 2));
    rows = Math.max(rows, 100);
  }
  return said;
}
