/** How a subscription, or whatever else lasts until then, is ended: by a call, or at the end of a `using`. */
import type { Stop } from './types.ts';

/** Engines without explicit resource management have no such symbol, and need none. */
export function disposable<T extends object>(target: T, stop: () => void): T & Disposable {
  return Object.assign(
    target,
    typeof Symbol.dispose === 'symbol' ? { [Symbol.dispose]: stop } : {},
  ) as T & Disposable;
}

export function makeStop(stop: () => void): Stop {
  return disposable(() => stop(), stop);
}
