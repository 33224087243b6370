/**
 * Timers, each with a name. Guarantee: a name has at most one timer; setting it again replaces it; after `cancel`,
 * `clear`, or being replaced, the old callback is never called. A callback may set its own name again.
 */
export interface Timers {
  set(name: string, delayMs: number, fn: () => void): void;
  cancel(name: string): void;
  /** Cancels all. */
  clear(): void;
}

/** setTimeout reads a delay above this as 1 ms. */
const longestDelayMs = 0x7fffffff;

export function systemTimers(): Timers {
  const running = new Map<string, ReturnType<typeof setTimeout>>();
  const cancel = (name: string) => {
    clearTimeout(running.get(name));
    running.delete(name);
  };
  return {
    set(name, delayMs, fn) {
      cancel(name);
      const delay = Math.min(Math.max(delayMs, 0), longestDelayMs);
      const handle = setTimeout(() => {
        running.delete(name);
        fn();
      }, delay);
      running.set(name, handle);
    },
    cancel,
    clear() {
      for (const name of [...running.keys()]) cancel(name);
    },
  };
}
