/**
 * Mutations at run time: runs a mutator inside of one transaction of the core, and keeps the three promises of each
 * mutation until they are settled. The caller need not await them: an unawaited failure raises no unhandled rejection.
 */

import type { SettleEffect, Stage } from '../core/core-types.ts';
import { ClosedError, errorFromCode, type SkerryError, ValidationError } from '../core/errors.ts';
import type { RowView } from '../core/row-view.ts';
import type { CommitHow, StreamItem } from '../core/window-core.ts';
import type { WindowEffect } from '../core/window-effects.ts';
import type { Clock } from '../host/clock.ts';
import type { WindowRunner } from '../host/effect-runner.ts';
import type { LiveRegistry } from './live.ts';
import { makeTransaction, type TransactionState } from './transaction.ts';
import type { Mutation, MutationOptions } from './types.ts';
import type { Undone } from './undo.ts';

const stages: readonly Stage[] = ['durable', 'pushed', 'confirmed'];

class Deferred {
  readonly promise: Promise<void>;
  resolve: () => void = () => {};
  reject: (error: SkerryError) => void = () => {};
  settled = false;

  constructor() {
    this.promise = new Promise<void>((resolve, reject) => {
      this.resolve = () => {
        this.settled = true;
        resolve();
      };
      this.reject = (error) => {
        this.settled = true;
        reject(error);
      };
    });
    // Marks a rejection as handled; a caller that awaits the promise gets it all the same.
    this.promise.catch(() => {});
  }
}

type Promises = Readonly<Record<Stage, Deferred>>;

interface MutationsParts {
  readonly view: RowView;
  readonly lives: LiveRegistry;
  readonly runner: WindowRunner;
  readonly clock: Clock;
}

export interface RunHow extends MutationOptions {
  readonly made?: MadeAction;
}

/** An action that has been made already. */
export interface MadeAction {
  readonly id: string;
  /** ms. */
  readonly at: number;
}

/** A mutation that changes something, just made. */
export interface MadeMutation {
  readonly type: 'made';
  readonly id: string;
  readonly name: string;
}

interface Owner {
  /** Called after each mutation that changed something. */
  mutated(): void;
  /** Called before the first of them: from now on there is data to lose. False: not now, but with the next one. */
  first(): boolean;
}

export class Mutations {
  readonly #parts: MutationsParts;
  #owner!: Owner;
  readonly #open = new Map<string, Promises>();
  #begun = false;
  /** Of an inspector: it hears of each mutation that this window has made, and what becomes of it. */
  watch: ((news: MadeMutation | SettleEffect) => void) | null = null;

  constructor(parts: MutationsParts) {
    this.#parts = parts;
  }

  /** Before the first mutation. */
  connect(owner: Owner): void {
    this.#owner = owner;
  }

  /** Runs `body` as one mutation. A throw rolls everything back, and is thrown. */
  run<V>(
    name: string,
    arg: string | null,
    body: (tx: never) => V,
    { made, undoable }: RunHow = {},
  ): Mutation<V> {
    const { view, lives } = this.#parts;
    const state: TransactionState = { open: true };
    return this.#perform(
      name,
      arg,
      () => body(makeTransaction(lives, view, state) as never),
      state,
      made,
      undoable === false ? { undoable } : {},
    );
  }

  /** Undoes what this window did last, or redoes what it undid last. Null if there is nothing. */
  undo(redo: boolean): Undone | null {
    let kept: Undone['kept'] | null = null;
    const body = () => {
      kept = this.#parts.view.core.undo(redo);
    };
    const { id } = this.#transact(redo ? 'skerry/redo' : 'skerry/undo', null, body);
    return kept && Object.freeze({ ...this.#mutation(id, undefined), kept: Object.freeze(kept) });
  }

  /** Logs an action that is appended to a stream. `unfit` hears why its inverse cannot be appended. */
  append(
    stream: string,
    realm: string,
    { name, arg }: StreamItem,
    inverse?: StreamItem | null,
    unfit?: (why: string) => void,
  ): Mutation<void> {
    const body = () => this.#parts.view.core.append(stream, realm);
    const how = inverse ? { inverseName: inverse.name, inverseArg: inverse.arg } : {};
    const made = this.#transact(name, arg, body, undefined, undefined, how);
    if (made.unfit !== null) unfit?.(made.unfit);
    return this.#mutation(made.id, undefined);
  }

  /** The same for an action that was made elsewhere, or before: under its own id and time. */
  appendAgain(
    made: MadeAction,
    name: string,
    arg: string,
    places: readonly { readonly stream: string; readonly realm: string }[],
  ): Mutation<void> {
    const { core } = this.#parts.view;
    const body = () => {
      for (const { stream, realm } of places) core.append(stream, realm);
    };
    return this.#perform(name, arg, body, { open: true }, made);
  }

  /**
   * Runs `body` as a mutation in place of an entry of the inbox: it is made when the entry is taken out, and not at all if that was
   * settled before. Nothing but the effect `resolved` says what became of it.
   */
  amend(entry: number, body: (tx: never) => unknown): void {
    const { view, lives } = this.#parts;
    const state: TransactionState = { open: true };
    const run = () => body(makeTransaction(lives, view, state) as never);
    const { id } = this.#transact('skerry/amend', null, run, state, undefined, { amends: entry });
    if (id === null) throw new ValidationError('not_changed', 'The amendment changes nothing.');
  }

  #perform<V>(
    name: string,
    arg: string | null,
    body: () => V,
    state?: TransactionState,
    made?: MadeAction,
    how?: CommitHow,
  ): Mutation<V> {
    const { id, result } = this.#transact(name, arg, body, state, made, how);
    return this.#mutation(id, result);
  }

  #transact<V>(
    name: string,
    arg: string | null,
    body: () => V,
    state: TransactionState = { open: true },
    made?: MadeAction,
    how: CommitHow = {},
  ): { id: string | null; unfit: string | null; result: V } {
    const { view, runner, clock } = this.#parts;
    if (view.writing)
      throw new ValidationError('invalid_argument', 'A mutator cannot begin another mutation.');
    if (view.validating)
      throw new ValidationError('invalid_argument', 'A rule (validate) only reads.');
    const { core } = view;
    core.begin(made?.at ?? clock.now());
    view.beginWriting();
    runner.hold();
    let effects: readonly WindowEffect[] = [];
    try {
      if (made && !core.again(made.id))
        throw new ValidationError('pending', `The action ${made.id} is pending here.`);
      const result = body();
      refuseAsync(name, result);
      const outcome = core.commit(name, arg, how);
      effects = outcome.effects;
      const { id, unfit } = outcome;
      if (id !== null) this.watch?.({ type: 'made', id, name: outcome.name ?? name });
      return { id, unfit, result };
    } catch (error) {
      effects = core.rollback();
      throw error;
    } finally {
      state.open = false;
      view.endWriting();
      // Drains the core and notifies subscribers; after a rollback too, for the slots that were touched.
      runner.execute(effects);
      runner.release();
    }
  }

  #mutation<V>(id: string | null, result: V): Mutation<V> {
    const promises: Promises = {
      durable: new Deferred(),
      pushed: new Deferred(),
      confirmed: new Deferred(),
    };
    // A mutation that changed nothing has nothing to wait for.
    if (id === null) for (const stage of stages) promises[stage].resolve();
    else {
      this.#begun ||= this.#owner.first();
      this.#open.set(id, promises);
      this.#owner.mutated();
    }
    return Object.freeze({
      id: id ?? '',
      result,
      durable: promises.durable.promise,
      pushed: promises.pushed.promise,
      confirmed: promises.confirmed.promise,
    });
  }

  /** The effect `settle`. */
  settle(effect: SettleEffect): void {
    this.watch?.(effect);
    const { id, stage, error } = effect;
    const promises = this.#open.get(id);
    if (!promises) return;
    if (error) promises[stage].reject(errorFromCode(error.code, error.detail, error));
    // A confirmed mutation is durable and pushed.
    else for (const each of stage === 'confirmed' ? stages : [stage]) promises[each].resolve();
    if (stages.every((name) => promises[name].settled)) this.#open.delete(id);
  }

  /** Resolves when nothing of this window waits for storage any more, whatever came of it. */
  async durable(): Promise<void> {
    await Promise.allSettled([...this.#open.values()].map(({ durable }) => durable.promise));
  }

  close(): void {
    for (const promises of this.#open.values()) {
      for (const stage of stages) {
        promises[stage].reject(
          new ClosedError('closed', 'The database was closed first; durable changes remain.'),
        );
      }
    }
    this.#open.clear();
  }
}

function refuseAsync(name: string, result: unknown): void {
  if (typeof (result as { then?: unknown } | null | undefined)?.then !== 'function') return;
  // Its own failure, once its transaction is over, says nothing more.
  (result as PromiseLike<unknown>).then(undefined, () => {});
  throw new ValidationError(
    'async_mutator',
    `${name} is asynchronous: a mutator must be done when it returns.`,
  );
}
