/**
 * DatabaseState: where a database is in its life.
 *
 *   opening ──▶ open ◀──▶ lost
 *      │         │         │
 *      └─────────┴─────────┴──▶ closing ──▶ closed
 *
 * `opening`: local data is being loaded (from here to `lost`, too). `open`: queries answer. `lost`: storage is gone; what is
 * in memory can be read, and nothing becomes durable, unless the connection comes back. `closing`: the parts end one after
 * the other.
 */
import type { SkerryError } from '../core/errors.ts';

type State =
  | { readonly is: 'opening' | 'open' }
  | { readonly is: 'lost'; readonly error: SkerryError }
  | { readonly is: 'closing' | 'closed'; readonly ended: Promise<void> };

export class DatabaseState {
  #state: State = { is: 'opening' };
  #resolve: () => void = () => {};
  #reject: (error: SkerryError) => void = () => {};
  /** Resolves when queries answer; rejects where the database cannot be opened. */
  readonly opened = new Promise<void>((resolve, reject) => {
    this.#resolve = resolve;
    this.#reject = reject;
  });

  constructor() {
    // The database may be closed before `open` waits for it.
    this.opened.catch(() => {});
  }

  get is(): State['is'] {
    return this.#state.is;
  }

  /** Whether it is being closed, or is closed. */
  get isOver(): boolean {
    return 'ended' in this.#state;
  }

  ready(): void {
    if (this.#state.is === 'opening') this.#state = { is: 'open' };
    this.#resolve();
  }

  /** It cannot be opened. The caller of `open` closes it. */
  refuse(error: SkerryError): void {
    this.#reject(error);
  }

  lose(error: SkerryError): void {
    if (!this.isOver) this.#state = { is: 'lost', error };
    this.#reject(error);
  }

  /** Storage takes changes again. */
  recover(): void {
    if (this.#state.is === 'lost') this.#state = { is: 'open' };
  }

  /** Runs `end`, which closes the parts, once. Another call gets the promise of the first. */
  close(end: () => Promise<void>): Promise<void> {
    if ('ended' in this.#state) return this.#state.ended;
    let finish: (work: Promise<void>) => void = () => {};
    const ended = new Promise<void>((resolve) => {
      finish = resolve;
    });
    // Before the first step of `end`: a step may ask for the end again.
    this.#state = { is: 'closing', ended };
    finish(this.#end(end, ended));
    return ended;
  }

  async #end(end: () => Promise<void>, ended: Promise<void>): Promise<void> {
    await end();
    this.#state = { is: 'closed', ended };
  }
}
