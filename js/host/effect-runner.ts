/**
 * EffectRunner: carries out the effects that both cores have in common (docs/internals.md, sections 4 and 5) and brings
 * the events back. Transactions run one after the other in the order of their effects: `done` or `failed` of one has been
 * handled before the next is opened. Effects that come back inside of a transaction wait for its completion.
 */

import type { HostError, TransactEffect } from '../core/core-types.ts';
import { DataWriter } from '../core/data-codec.ts';
import type { CommonEffect, CommonEvent, Times } from '../core/effects.ts';
import {
  LimitError,
  QuotaError,
  reportUncaught,
  SkerryError,
  ValidationError,
} from '../core/errors.ts';
import type { Message } from '../core/messages.ts';
import type { WindowOnlyEffect, WindowOnlyEvent } from '../core/window-effects.ts';
import type { WorkerOnlyEffect, WorkerOnlyEvent } from '../core/worker-effects.ts';
import type { Channel } from './channel.ts';
import type { Clock } from './clock.ts';
import type { Decision, Storage, TransactRequest, TransactResult } from './storage.ts';
import type { Timers } from './timers.ts';

/** Parts of one record: the largest are those of an inbox, with whole rows; bodies are bytes. */
const maxRecordValues = 1 << 18;

/** `Own` and `Event`: what the core has besides the effects and events in common. */
export interface RunnerParts<Own, Event> {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly channel: Channel;
  readonly storage: Storage;
  /** Hands an event to the core and returns its effects. */
  call(event: (CommonEvent | Event) & Times): readonly (CommonEffect | Own)[];
  /**
   * Runs after each call outside of a transaction's reading, before its effects: what it returns runs after them. The
   * window drains its core here, and notifies the application last.
   */
  settle?(): () => void;
  /** Overrides the core's choice of durability, where the application asked for less. */
  readonly relaxed?: boolean;
}

/** The owner of the core. It takes the effects that the runner does not carry out itself. */
export interface RunnerOwner<Own> {
  /** Every effect that is not common. */
  special(effect: Own): void;
}

export type WindowRunner = EffectRunner<WindowOnlyEffect, WindowOnlyEvent>;
export type WorkerRunner = EffectRunner<WorkerOnlyEffect, WorkerOnlyEvent>;

export class EffectRunner<Own extends WindowOnlyEffect | WorkerOnlyEffect, Event extends Message> {
  readonly #parts: RunnerParts<Own, Event>;
  #owner!: RunnerOwner<Own>;
  readonly #queue: TransactEffect[] = [];
  /** The transaction under way, or null. */
  #current: TransactEffect | null = null;
  /** The steps that wait while events are held, in order. */
  #held: (() => void)[] | null = null;
  #stopped = false;
  readonly #onIdle: (() => void)[] = [];

  constructor(parts: RunnerParts<Own, Event>) {
    this.#parts = parts;
  }

  /** Before the first event. */
  connect(owner: RunnerOwner<Own>): void {
    this.#owner = owner;
  }

  /** Hands an event to the core, with the time, and carries out what comes back. */
  dispatch(event: CommonEvent | Event): void {
    if (this.#stopped) return;
    this.#whenFree(() => this.execute(this.#call(event)));
  }

  /**
   * Hands the core a message of the channel. Any script of the origin may write there: what is no message, or nothing
   * that the core could read, is ignored.
   */
  hear(message: unknown): void {
    if (this.#stopped || !isMessage(message)) return;
    this.#whenFree(() => {
      const effects = unlessUnreadable(() => this.#call({ type: 'message', message }));
      if (effects) this.execute(effects);
    });
  }

  #whenFree(step: () => void): void {
    if (this.#held) this.#held.push(step);
    else step();
  }

  /** Carries out effects that came from elsewhere than an event. */
  execute(effects: readonly (CommonEffect | Own)[]): void {
    const after = safely(() => this.#parts.settle?.());
    for (const effect of effects) safely(() => this.#effect(effect));
    if (after) safely(after);
  }

  /** Events wait from here on, until `release`: a mutator is running, or a test holds a worker still. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const step of held) this.#whenFree(step);
  }

  /** Reports every outstanding transaction as failed: the page is frozen, and their outcome will not be heard. */
  failOutstanding(error: HostError): void {
    const outstanding = this.#current ? [this.#current, ...this.#queue] : [...this.#queue];
    this.#current = null;
    this.#queue.length = 0;
    for (const { id } of outstanding) this.dispatch({ type: 'failed', id, error });
  }

  /** Resolves when no transaction is under way or waits, or it is stopped. */
  idle(): Promise<void> {
    if (!this.#current && this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
    this.#current = null;
    this.#parts.timers.clear();
    this.#reportIdle();
  }

  #reportIdle(): void {
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #call(event: CommonEvent | Event): readonly (CommonEffect | Own)[] {
    const { clock } = this.#parts;
    return this.#parts.call({ ...event, now: clock.now(), mono: clock.mono() });
  }

  #effect(effect: CommonEffect | Own): void {
    const { timers, channel } = this.#parts;
    switch (effect.type) {
      case 'transact':
        this.#queue.push(effect);
        this.#next();
        break;
      case 'keep':
        // Records that cannot be kept stay in memory, and are stored when the page resumes.
        this.#parts.storage.addNow('mutations', effect.records);
        break;
      case 'timer': {
        const { name, delayMs } = effect;
        // The compiler compares unions of so many names only as a whole.
        timers.set(name, delayMs, () => this.dispatch({ type: 'timer', name } as CommonEvent));
        break;
      }
      case 'cancel':
        timers.cancel(effect.name);
        break;
      case 'broadcast':
        channel.post(effect.message);
        break;
      default:
        this.#owner.special(effect);
    }
  }

  #next(): void {
    if (this.#current || this.#stopped) return;
    const effect = this.#queue.shift();
    if (!effect) {
      this.#reportIdle();
      return;
    }
    this.#current = effect;
    void this.#transact(effect);
  }

  async #transact(effect: TransactEffect): Promise<void> {
    let waiting: readonly (CommonEffect | Own)[] = [];
    const outcome = await this.#parts.storage
      .transact(this.#request(effect), (results) => {
        if (this.#current !== effect) return { type: 'abort' };
        const [decision, ...rest] = this.#read(effect.id, results);
        waiting = [...waiting, ...rest];
        return toDecision(decision);
      })
      .catch((error: unknown) => error as Error);
    this.#whenFree(() => this.#ended(effect, outcome, waiting));
  }

  /** Hands the results to the core. A value of another script that cannot cross to the core counts as null. */
  #read(id: number, results: readonly unknown[]): readonly (CommonEffect | Own)[] {
    const read = (found: readonly unknown[]) => this.#call({ type: 'read', id, results: found });
    return unlessUnreadable(() => read(results)) ?? read(results.map(readable));
  }

  #ended(
    effect: TransactEffect,
    outcome: TransactResult | Error,
    waiting: readonly (CommonEffect | Own)[],
  ): void {
    // Given up meanwhile: its failure has been reported.
    if (this.#current !== effect || this.#stopped) return;
    const { id } = effect;
    try {
      if (outcome instanceof Error) this.dispatch({ type: 'failed', id, error: nameOf(outcome) });
      else if (!outcome.committed) {
        this.dispatch({
          type: 'failed',
          id,
          error: { name: 'AbortError', message: 'Aborted by the core.' },
        });
      } else {
        this.execute([...this.#call({ type: 'done', id, keys: outcome.keys }), ...waiting]);
      }
    } finally {
      if (this.#current === effect) this.#current = null;
      this.#next();
    }
  }

  #request({ stores, mode, durability, reads }: TransactEffect): TransactRequest {
    return { stores, mode, durability: this.#parts.relaxed ? 'relaxed' : durability, reads };
  }
}

/** A step that throws, because a class of the application's cannot read a row, say, takes no other with it. */
function safely<R>(step: () => R): R | undefined {
  try {
    return step();
  } catch (error) {
    reportUncaught(error);
    return undefined;
  }
}

export function isMessage(message: unknown): message is Message {
  return typeof (message as Partial<Message> | null | undefined)?.type === 'string';
}

/** Undefined where what would have crossed to the core is nothing that the codec knows, or too large, or too deep. */
function unlessUnreadable<R>(step: () => R): R | undefined {
  try {
    return step();
  } catch (error) {
    if (error instanceof ValidationError || error instanceof LimitError) return undefined;
    throw error;
  }
}

/** A result of a read without what cannot be encoded: of a range, row by row. */
function readable(result: unknown): unknown {
  if (!Array.isArray(result) || !result.every(isRow)) return orNull(result);
  return result.map((row: KeyedValue) => ({ key: row.key, value: orNull(row.value) }));
}

interface KeyedValue {
  readonly key: unknown;
  readonly value: unknown;
}

/** A value that was got by its key may be a list too. */
function isRow(row: unknown): row is KeyedValue {
  return typeof row === 'object' && row !== null && 'key' in row && 'value' in row;
}

function orNull(value: unknown): unknown {
  const written = unlessUnreadable(() => new DataWriter(maxRecordValues).encode(value));
  return written === undefined ? null : value;
}

/** The first of what comes back after the event `read`. */
function toDecision(effect: Message | undefined): Decision {
  if (effect?.type === 'write' || effect?.type === 'more' || effect?.type === 'abort')
    return effect as Decision;
  throw new SkerryError(
    'internal',
    `A transaction was answered with ${effect?.type ?? 'nothing'}.`,
  );
}

/** Failures go to the core by the names that browsers give them. */
export function nameOf(error: Error): HostError {
  const { message } = error;
  if (error instanceof QuotaError) return { name: 'QuotaExceededError', message };
  if (!(error instanceof SkerryError)) return { name: error.name, message };
  if (error.code === 'storage_timeout' || error.code === 'timeout')
    return { name: 'timeout', message };
  const cause = error.cause as { name?: unknown } | undefined;
  return { name: typeof cause?.name === 'string' ? cause.name : error.code, message };
}
