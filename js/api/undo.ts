/** `db.undo()` and `db.redo()`: what this window can undo of its own actions (docs/guide/undo.md). */
import type { KeptProp, UndoEffect } from '../core/core-types.ts';
import type { SchemaCodec } from '../core/values.ts';
import type { CallQueue } from './call-queue.ts';
import { Subscribers } from './subscribers.ts';
import type { Live, Mutation } from './types.ts';
import { type UserAction, userAction } from './user-action.ts';

export interface CanUndo extends Live<boolean> {
  /** What would be undone, or redone; null if there is nothing. */
  readonly action: UserAction | null;
}

/** An undo or a redo. */
export interface Undone extends Mutation<void> {
  /**
   * What stays, because somebody has changed it since: the first 100 props of rows that this window shows. What others change
   * before the server has the undo stays, too.
   */
  readonly kept: readonly KeptProp[];
}

class UndoState implements CanUndo {
  readonly #calls: CallQueue;
  readonly #subscribers = new Subscribers<boolean>(() => this.value);
  action: UserAction | null = null;

  constructor(calls: CallQueue) {
    this.#calls = calls;
  }

  get value(): boolean {
    return this.action !== null;
  }

  /** Subscribers hear of another action, too. */
  take(action: UserAction | null): void {
    if (action?.id === this.action?.id) return;
    this.action = action;
    this.#calls.add(this.#subscribers.calls(this.value));
  }

  subscribe(fn: (can: boolean) => void) {
    return this.#subscribers.add(fn);
  }
}

export class Undo {
  readonly canUndo: UndoState;
  readonly canRedo: UndoState;
  readonly #codec: SchemaCodec;

  constructor(calls: CallQueue, codec: SchemaCodec) {
    this.canUndo = new UndoState(calls);
    this.canRedo = new UndoState(calls);
    this.#codec = codec;
  }

  /** The effect `undo`. */
  take({ undo, redo }: UndoEffect): void {
    this.canUndo.take(undo && userAction(this.#codec, undo));
    this.canRedo.take(redo && userAction(this.#codec, redo));
  }
}
