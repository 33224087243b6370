/** The subscribers of one value: the first call of each comes a microtask later, then one for each change. */
import { checkFunction } from '../core/errors.ts';
import { guard } from './call-queue.ts';
import { makeStop } from './stop.ts';
import type { Delta, Stop } from './types.ts';

type Fn<V> = (value: V, delta?: Delta) => void;

export class Subscribers<V> {
  readonly #read: () => V;
  readonly #set = new Set<{ readonly fn: Fn<V>; primed: boolean }>();

  constructor(read: () => V) {
    this.#read = read;
  }

  add(fn: Fn<V>): Stop {
    checkFunction(fn, 'subscribe()');
    const subscriber = { fn, primed: false };
    this.#set.add(subscriber);
    queueMicrotask(() => {
      if (!this.#set.has(subscriber)) return;
      subscriber.primed = true;
      guard(() => fn(this.#read()));
    });
    return makeStop(() => this.#set.delete(subscriber));
  }

  get isEmpty(): boolean {
    return this.#set.size === 0;
  }

  /** The calls that a change makes due. */
  calls(value: V, delta?: Delta): (() => void)[] {
    return [...this.#set]
      .filter(({ primed }) => primed)
      .map((subscriber) => () => {
        if (this.#set.has(subscriber)) subscriber.fn(value, delta);
      });
  }
}
