/** A set of listeners. An error of one is reported, and does not stop the others. */
import { checkFunction } from '../core/errors.ts';
import { CallQueue } from './call-queue.ts';
import { makeStop } from './stop.ts';
import type { Stop } from './types.ts';

export class Listeners<V> {
  readonly #set = new Set<(value: V) => void>();
  readonly #calls = new CallQueue();

  add(fn: (value: V) => void): Stop {
    checkFunction(fn, 'subscribe() or on()');
    // An entry of its own, so that one function can be added twice.
    const entry = (value: V) => fn(value);
    this.#set.add(entry);
    return makeStop(() => this.#set.delete(entry));
  }

  get size(): number {
    return this.#set.size;
  }

  /**
   * A listener that another one has removed is not called any more. A value that a listener causes is delivered after the
   * one before it has reached all, so that each listener's last value is the latest.
   */
  notify(value: V): void {
    const calls = [...this.#set].map((fn) => () => {
      if (this.#set.has(fn)) fn(value);
    });
    this.#calls.add(calls);
    this.#calls.run();
  }
}
