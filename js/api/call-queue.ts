/**
 * Calls of the application's code that are due. One that makes others due has them called after those that were due before, so
 * that each subscriber's last value is the latest.
 */
import { reportUncaught } from '../core/errors.ts';

export class CallQueue {
  readonly #calls: (() => void)[] = [];
  #calling = false;

  add(calls: readonly (() => void)[]): void {
    this.#calls.push(...calls);
  }

  /** Makes all calls that are due. Does nothing within one of them. */
  run(): void {
    if (this.#calling) return;
    this.#calling = true;
    for (let call = this.#calls.shift(); call; call = this.#calls.shift()) guard(call);
    this.#calling = false;
  }
}

/**
 * A mistake of the application's code, or a value that cannot be made, must stop neither other calls nor a transaction: it
 * is reported like any uncaught error.
 */
export function guard(call: () => void): void {
  try {
    call();
  } catch (error) {
    reportUncaught(error);
  }
}
