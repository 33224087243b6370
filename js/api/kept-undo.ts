/**
 * What can be undone, while the page is loaded again (docs/guide/undo.md): kept when the page is hidden or ends, and taken when it is
 * there again, so that only one page of the tab has it. In a host without a session nothing is kept.
 */
import type { KeepUndoEffect } from '../core/core-types.ts';
import type { WindowEvent } from '../core/window-effects.ts';
import type { SessionHost } from '../host/session.ts';

interface KeptUndoParts {
  readonly session: SessionHost | undefined;
  /** The name of the database. */
  readonly name: string;
  readonly dispatch: (event: WindowEvent) => void;
}

export class KeptUndo {
  readonly #parts: KeptUndoParts;
  readonly #key: string;
  #isKept = false;

  constructor(parts: KeptUndoParts) {
    this.#parts = parts;
    this.#key = `skerry/undo/${parts.name}`;
  }

  /** Before the database is open, and when the page comes out of the back/forward cache: another page may have gone on with the list. */
  take(): void {
    const text = this.#take();
    if (text !== null || this.#isKept) this.#parts.dispatch({ type: 'takeUndo', text });
    this.#isKept = false;
  }

  /** The page is hidden, or ends. */
  ask(): void {
    if (this.#parts.session) this.#parts.dispatch({ type: 'keepUndo' });
  }

  /** The effect `keepUndo`. */
  keep({ text, dropped }: KeepUndoEffect): void {
    if (dropped !== null) console.warn(`skerry: What could be undone is lost: ${dropped}.`);
    if (text === null) this.forget();
    else this.#isKept = this.#parts.session?.keep(this.#key, text) ?? false;
  }

  /** The page is shown again, or there is nothing with which to go on. */
  forget(): void {
    if (this.#isKept) this.#take();
    this.#isKept = false;
  }

  #take(): string | null {
    return this.#parts.session?.take(this.#key) ?? null;
  }
}
