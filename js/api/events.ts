/** `db.on`: what happened to the database, for its listeners. */
import { type SkerryError, ValidationError } from '../core/errors.ts';
import type { StorageLoss } from '../host/storage.ts';
import type { MendedRow } from './comparing.ts';
import { Listeners } from './listeners.ts';
import type { UpdateReason } from './options.ts';
import type { Stop } from './types.ts';

/** What happened, for the listeners of `on`. */
export interface DatabaseEvents {
  /**
   * Local data was damaged and is being fetched again; unsent changes are kept. Or the browser itself has dropped all of it,
   * unsent changes too, because it found its files damaged or evicted the site: `detail` says so. For an open database this
   * event comes before `closed`.
   */
  dataLost: { readonly detail: string };
  updateNeeded: { readonly reason: UpdateReason };
  /** A change could not be stored; it is tried again. */
  storageFailed: { readonly error: SkerryError };
  /**
   * A comparison with the server (`db.sync.verify`) has found rows that differed, and they are now as the server has them; every
   * window of the device hears it. Each is a mistake, of Skerry, of the disk or of somebody's hand: please report it.
   */
  mended: { readonly rows: readonly MendedRow[] };
  /**
   * The database is closed: by `close`, by `logout` in this or another window, because another window deleted or upgraded
   * it or the browser evicted it, or because the core failed.
   */
  closed: { readonly reason: 'close' | 'logout' | 'core-failed' | StorageLoss };
}

/** Every event; the compiler checks that none is missing. */
const known: Readonly<Record<keyof DatabaseEvents, true>> = {
  dataLost: true,
  updateNeeded: true,
  storageFailed: true,
  mended: true,
  closed: true,
};

type UpdateListener = (detail: DatabaseEvents['updateNeeded']) => void;

export class EventListeners {
  readonly #byEvent = new Map<string, Listeners<never>>();
  /** Data is lost while opening, before the application could listen. It is notified when its first listener is added. */
  #lost: DatabaseEvents['dataLost'] | null = null;
  readonly #onUpdateNeeded: UpdateListener;

  /** `onUpdateNeeded`: the option of `open`. */
  constructor(onUpdateNeeded: UpdateListener) {
    this.#onUpdateNeeded = onUpdateNeeded;
  }

  listen(event: string, fn: (detail: never) => void): Stop {
    if (!Object.hasOwn(known, event)) {
      const names = Object.keys(known).join(', ');
      throw new ValidationError(
        'invalid_argument',
        `There is no event ${event}: on() knows ${names}.`,
      );
    }
    let listeners = this.#byEvent.get(event);
    if (!listeners) {
      listeners = new Listeners();
      this.#byEvent.set(event, listeners);
    }
    const stop = listeners.add(fn);
    if (event === 'dataLost') queueMicrotask(() => this.#reportLost());
    return stop;
  }

  emit<E extends keyof DatabaseEvents>(event: E, detail: DatabaseEvents[E]): void {
    this.#byEvent.get(event)?.notify(detail as never);
  }

  updateNeeded(reason: UpdateReason): void {
    this.#onUpdateNeeded({ reason });
    this.emit('updateNeeded', { reason });
  }

  dataLost(detail: string): void {
    this.#lost = { detail };
    this.#reportLost();
  }

  #reportLost(): void {
    const lost = this.#lost;
    if (!lost || !this.#byEvent.get('dataLost')?.size) return;
    this.#lost = null;
    this.emit('dataLost', lost);
  }
}
