/** A set of listeners whose mistakes are reported and stop nobody else. */
import { reportUncaught } from '../core/errors.ts';
import { makeStop } from './stop.ts';
import type { Stop } from './types.ts';

export class Listeners<V> {
  readonly #set = new Set<(value: V) => void>();

  add(fn: (value: V) => void): Stop {
    // An entry of its own, so that one function can be added twice.
    const entry = (value: V) => fn(value);
    this.#set.add(entry);
    return makeStop(() => this.#set.delete(entry));
  }

  tell(value: V): void {
    for (const fn of [...this.#set]) {
      try {
        fn(value);
      } catch (error) {
        reportUncaught(error);
      }
    }
  }
}
