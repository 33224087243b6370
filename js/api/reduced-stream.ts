/**
 * A stream that a reducer folds. The state with all confirmed actions is kept, and pending ones are reduced over it again
 * whenever confirmed ones come. Now and then that state is stored, so that the next start need not fold them all.
 */
import { messageOf } from '../core/brand.ts';
import type { ConfirmedAction, PendingAction, StreamNews } from '../core/core-types.ts';
import { ValidationError } from '../core/errors.ts';
import type { StreamItem } from '../core/window-core.ts';
import type { Problem } from './problems.ts';
import { itemOf } from './stream-name.ts';
import type { OpenedStream, OpenStream } from './stream-port.ts';
import type { ReducedStream, ReducedStreamOptions } from './stream-types.ts';
import { Subscribers } from './subscribers.ts';
import type { Mutation, Stop } from './types.ts';

/** A state is stored after so many actions, and after more if it is large: it is written as a whole each time. */
const actionsPerState = 200;
const bytesPerAction = 1_000;
const storeDelayMs = 1_000;
/** Problems that are kept of confirmed actions, and of inverses: the last ones. */
const maxProblems = 100;

/** The functions of a stream that may be given anew each time it is opened. */
export type Functions = Pick<ReducedStreamOptions<unknown, unknown>, 'reducer' | 'inverse'>;
type Reducer = Functions['reducer'];

export class FoldedStream implements ReducedStream<unknown, unknown>, OpenStream {
  readonly name: string;
  readonly realm: string;
  opening: { readonly reducer: number; readonly migrates: boolean };
  readonly #at: OpenedStream;
  readonly #options: Omit<ReducedStreamOptions<unknown, unknown>, 'reducer'>;
  #reducer!: Reducer;
  #inverse: Functions['inverse'];
  readonly #subscribers = new Subscribers<unknown>(() => this.value);
  #confirmed: unknown;
  /** Pending actions with the states after them. */
  readonly #pending = new Map<string, unknown>();
  #value: unknown;
  /** Nothing was missing at some moment: from then on each state is one that the stream had. */
  #wasWhole = false;
  #whole = false;
  #upto = 0;
  #stored = 0;
  #unstored = 0;
  #stateBytes = 0;
  #isReducing = false;
  /** Why a state of another version could not be taken over: all actions are asked for, and folded, instead. */
  #migrateProblem: Problem | null = null;
  /** There is no state over which the actions that come could be folded. */
  #isUnusable = false;
  /** The server has not what the reducer needs. */
  #isGone = false;
  #problems: Problem[] = [];
  #pendingProblems: Problem[] = [];

  constructor(at: OpenedStream, options: ReducedStreamOptions<unknown, unknown>) {
    const { version = 1, migrate } = options;
    this.use(options);
    if (!('initialState' in options))
      throw new ValidationError('invalid_argument', 'A reduced stream has an `initialState`.');
    if (!Number.isSafeInteger(version) || version < 1)
      throw new ValidationError('invalid_argument', '`version` counts from 1.');
    this.#at = at;
    this.name = at.name;
    this.realm = at.realm;
    this.#options = options;
    this.#confirmed = this.#value = options.initialState;
    this.opening = { reducer: version, migrates: migrate !== undefined };
  }

  get value(): unknown {
    return this.#value;
  }

  /** For what comes from now on. Whoever only reads the stream need not name an inverse. */
  use({ reducer, inverse = this.#inverse }: Functions): void {
    this.#reducer = checked(reducer);
    this.#inverse = inverse;
  }

  get whole(): boolean {
    return this.#whole;
  }

  subscribe(fn: (state: unknown) => void): Stop {
    return this.#subscribers.add(fn);
  }

  dispatch(action: unknown): Mutation<void> {
    if (this.#isReducing)
      throw new ValidationError('invalid_argument', 'A reducer may not dispatch actions.');
    let problem: string | null = null;
    const failed = (message: string) => {
      problem = `inverse: ${message}`;
    };
    const inverse = this.#inverseOf(action, failed);
    const made = this.#at.streams.append(this.name, this.realm, action, inverse, failed);
    if (problem !== null) {
      this.#problem(made.id, problem);
      const { calls } = this.#at.streams.parts;
      calls.add(this.#report());
      calls.run();
    }
    return made;
  }

  #inverseOf(action: unknown, failed: (message: string) => void): StreamItem | null {
    this.#isReducing = true;
    try {
      const inverse = this.#inverse?.(action, this.#value) ?? null;
      return inverse === null ? null : itemOf(this.#at.streams.parts.registry, inverse);
    } catch (error) {
      failed(messageOf(error));
      return null;
    } finally {
      this.#isReducing = false;
    }
  }

  take(news: StreamNews): (() => void)[] {
    const { pending } = news;
    const isConfirmedSame = !news.reset && news.state === null && news.actions.length === 0;
    if (news.reset) this.#begin(news.state);
    const whole = news.whole && !this.#isUnusable;
    if (!this.#isUnusable) for (const action of news.actions) this.#confirm(action);
    this.#upto = news.upto;
    const isWholeSame = this.#whole === whole;
    this.#whole = whole;
    const wasShown = this.#wasWhole;
    this.#wasWhole = (this.#wasWhole && !news.reset) || whole;
    for (const id of pending.removed) this.#pending.delete(id);
    if (pending.all) this.#pending.clear();
    for (const { id, arg } of pending.all ?? pending.added)
      this.#pending.set(id, this.#at.streams.parts.registry.decode(arg));
    const isAppended =
      isConfirmedSame &&
      !pending.all &&
      pending.removed.length === 0 &&
      wasShown === this.#wasWhole;
    const before = this.#value;
    if (isAppended) this.#reducePending(pending.added);
    else this.#reduceAll();
    this.#isGone = news.gone;
    const calls = this.#report();
    if (!isWholeSame || !Object.is(before, this.#value))
      calls.push(...this.#subscribers.calls(this.#value));
    if (this.#isToBeStored()) calls.push(() => this.#storeSoon());
    if (this.#isUnusable && news.reset) calls.push(() => this.#reopen());
    return calls;
  }

  #report(): (() => void)[] {
    return this.#at.streams.parts.problems.replace(this, [
      ...(this.#isGone ? [this.#goneProblem()] : []),
      ...(this.#migrateProblem ? [this.#migrateProblem] : []),
      ...this.#problems,
      ...this.#pendingProblems,
    ]);
  }

  #begin(stored: StreamNews['state']): void {
    this.#confirmed = this.#options.initialState;
    this.#problems = [];
    this.#isUnusable = false;
    this.#stored = this.#unstored = 0;
    if (stored === null) return;
    const state = this.#at.streams.parts.registry.decode(stored.state);
    const { version = 1, migrate } = this.#options;
    if (stored.reducer === version) this.#confirmed = state;
    else if (migrate) {
      try {
        this.#confirmed = migrate(state as never, stored.reducer);
      } catch (error) {
        this.#migrateProblem = this.#problemOf('', `migrate: ${messageOf(error)}`);
        this.#isUnusable = true;
      }
    }
    this.#stored = stored.reducer === version ? stored.revision : 0;
  }

  /** As one that takes no state over. */
  #reopen(): void {
    this.opening = { ...this.opening, migrates: false };
    this.#at.streams.reopen(this.#at, this.opening);
  }

  #confirm({ id, arg }: ConfirmedAction): void {
    this.#unstored++;
    const action = this.#at.streams.parts.registry.decode(arg);
    this.#confirmed = this.#reduce(this.#confirmed, action, (message) =>
      this.#problem(id, message),
    );
  }

  #problemOf(id: string, message: string, mutations: readonly string[] = []): Problem {
    return { table: `stream:${this.name}`, id, message, mutations };
  }

  #problem(id: string, message: string): void {
    this.#problems.push(this.#problemOf(id, message));
    if (this.#problems.length > maxProblems) this.#problems.shift();
  }

  #goneProblem(): Problem {
    const { version = 1 } = this.#options;
    const message = `The server no longer has the actions that version ${version} of the reducer needs, nor a state that it can use.`;
    return this.#problemOf('', message);
  }

  /** The state after an action; the same, if the reducer throws. */
  #reduce(state: unknown, action: unknown, failed: (message: string) => void): unknown {
    this.#isReducing = true;
    try {
      return this.#reducer(state, action);
    } catch (error) {
      failed(messageOf(error));
      return state;
    } finally {
      this.#isReducing = false;
    }
  }

  /** Until the stream was whole once, pending actions are shown over the first state. */
  #reduceAll(): void {
    this.#pendingProblems = [];
    this.#value = this.#wasWhole ? this.#confirmed : this.#options.initialState;
    for (const [id, action] of this.#pending) this.#reduceOne(id, action);
  }

  #reducePending(added: readonly PendingAction[]): void {
    for (const { id } of added) this.#reduceOne(id, this.#pending.get(id));
  }

  #reduceOne(id: string, action: unknown): void {
    this.#value = this.#reduce(this.#value, action, (message) =>
      this.#pendingProblems.push(this.#problemOf(id, message, [id])),
    );
  }

  #isToBeStored(): boolean {
    const enough = Math.max(actionsPerState, this.#stateBytes / bytesPerAction);
    return this.#whole && this.#unstored >= enough && this.#upto > this.#stored;
  }

  #storeSoon(): void {
    const { timers } = this.#at.streams.parts;
    timers.set(`stream-${this.#at.handle}`, storeDelayMs, () => this.#store());
  }

  #store(): void {
    if (!this.#isToBeStored()) return;
    const { registry, dispatch } = this.#at.streams.parts;
    let state: string;
    try {
      state = JSON.stringify(registry.encode(this.#confirmed));
    } catch (error) {
      // A state that cannot be stored is folded again at each start.
      this.#unstored = Number.NEGATIVE_INFINITY;
      this.#problem('', `The state cannot be stored: ${messageOf(error)}`);
      return;
    }
    this.#stateBytes = state.length;
    this.#unstored = 0;
    this.#stored = this.#upto;
    dispatch({ type: 'streamState', stream: this.#at.handle, revision: this.#upto, state });
  }
}

function checked(reducer: unknown): Reducer {
  if (typeof reducer === 'function') return reducer as Reducer;
  throw new ValidationError('invalid_argument', 'The `reducer` of a stream must be a function.');
}
