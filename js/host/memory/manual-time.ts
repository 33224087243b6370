/**
 * Time that passes only when a test says so: clock and named timers in one. The wall clock can be set apart from the
 * monotonic one, as people and time servers do.
 */
import type { Clock } from '../clock.ts';
import type { Timers } from '../timers.ts';

interface Pending {
  readonly name: string;
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

export class ManualTime implements Clock {
  #mono = 0;
  #wall: number;
  #order = 0;
  readonly #sets = new Set<Map<string, Pending>>();

  constructor(wall = Date.UTC(2026, 0, 1)) {
    this.#wall = wall;
  }

  now(): number {
    return this.#wall;
  }

  mono(): number {
    return this.#mono;
  }

  /** Moves the wall clock alone. */
  step(ms: number): void {
    this.#wall += ms;
  }

  timers(): Timers {
    const set = new Map<string, Pending>();
    this.#sets.add(set);
    return {
      set: (name, delayMs, fn) => {
        const at = this.#mono + Math.max(0, delayMs);
        set.set(name, { name, at, order: this.#order++, fn });
      },
      cancel: (name) => {
        set.delete(name);
      },
      clear: () => {
        set.clear();
      },
    };
  }

  /** Names of the timers that are set, soonest first. */
  pending(): string[] {
    return this.#sorted().map(({ timer }) => timer.name);
  }

  /** Lets time pass, and runs what falls due on the way, in order. */
  advance(ms: number): void {
    const until = this.#mono + ms;
    for (;;) {
      const next = this.#sorted()[0];
      if (!next || next.timer.at > until) break;
      this.#moveTo(Math.max(next.timer.at, this.#mono));
      next.set.delete(next.timer.name);
      next.timer.fn();
    }
    this.#moveTo(until);
  }

  #moveTo(mono: number): void {
    this.#wall += mono - this.#mono;
    this.#mono = mono;
  }

  #sorted(): { set: Map<string, Pending>; timer: Pending }[] {
    return [...this.#sets]
      .flatMap((set) => [...set.values()].map((timer) => ({ set, timer })))
      .sort((a, b) => a.timer.at - b.timer.at || a.timer.order - b.timer.order);
  }
}
