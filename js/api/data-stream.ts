/** A stream of data items: its last items live, and its past page by page. */

import type { ConfirmedAction, PendingAction, StreamNews } from '../core/core-types.ts';
import {
  type ErrorCode,
  LimitError,
  NetworkError,
  SkerryError,
  ValidationError,
} from '../core/errors.ts';
import type { OpenedStream, OpenStream } from './stream-port.ts';
import type { DataStream, Entry, PageOptions } from './stream-types.ts';
import { Subscribers } from './subscribers.ts';
import type { Delta, Mutation, Stop } from './types.ts';

type ActionPlace = ConfirmedAction['place'];
type Item = Entry<unknown> & { readonly place: ActionPlace | null };

/** After all places. */
const theEnd: ActionPlace = [2 ** 52, 0];
const maxPage = 1_000;
const defaultPage = 50;

function compare(a: ActionPlace, b: ActionPlace): number {
  return a[0] - b[0] || a[1] - b[1];
}

export class PlainStream implements DataStream<unknown>, OpenStream {
  readonly name: string;
  readonly realm: string;
  readonly opening: { readonly keep: number };
  readonly #at: OpenedStream;
  readonly #keep: number;
  readonly #subscribers = new Subscribers<readonly unknown[]>(() => this.value);
  /** The last confirmed ones, in the order of their places. */
  #confirmed: Item[] = [];
  readonly #pending = new Map<string, Item>();
  /** Entries, and items that are objects, lead to their entries. */
  readonly #entryOf = new WeakMap<object, Item>();
  #entries: readonly Item[] | null = null;
  #value: readonly unknown[] | null = null;
  #whole = false;
  /** Items that came since the device last removed what is older than `keep`. */
  #untrimmed = 0;

  constructor(at: OpenedStream, keep: number) {
    this.#at = at;
    this.name = at.name;
    this.realm = at.realm;
    this.#keep = keep;
    this.opening = { keep };
  }

  get entries(): readonly Entry<unknown>[] {
    this.#entries ??= Object.freeze([...this.#confirmed, ...this.#pending.values()]);
    return this.#entries;
  }

  get value(): readonly unknown[] {
    this.#value ??= Object.freeze(this.entries.map(({ value }) => value));
    return this.#value;
  }

  get whole(): boolean {
    return this.#whole;
  }

  subscribe(fn: (items: readonly unknown[], delta?: Delta) => void): Stop {
    return this.#subscribers.add(fn);
  }

  append(item: unknown): Mutation<void> {
    return this.#at.streams.append(this.name, this.realm, item);
  }

  take(news: StreamNews): (() => void)[] {
    const { pending } = news;
    this.#whole = news.whole;
    const before = new Set(this.#pending.keys());
    if (news.reset) this.#confirmed = [];
    for (const id of pending.removed) this.#pending.delete(id);
    if (pending.all) this.#pending.clear();
    for (const action of pending.all ?? pending.added)
      this.#pending.set(action.id, this.#pendingItem(action));
    const added = news.actions.filter((action) => this.#insert(action)).map(({ id }) => id);
    if (this.#confirmed.length > this.#keep)
      this.#confirmed = this.#confirmed.slice(this.#confirmed.length - this.#keep);
    this.#entries = this.#value = null;
    const calls: (() => void)[] = [];
    if (!this.#subscribers.isEmpty) {
      const delta = news.reset || pending.all ? undefined : deltaOf(news, before, added);
      calls.push(...this.#subscribers.calls(this.value, delta));
    }
    if (this.#untrimmed > this.#keep) calls.push(() => this.#trim());
    return calls;
  }

  /** Whether it was not there. */
  #insert(action: ConfirmedAction): boolean {
    const { place } = action;
    this.#untrimmed++;
    let at = this.#confirmed.length;
    while (at > 0 && compare(place, this.#confirmed[at - 1]?.place as ActionPlace) < 0) at--;
    if (at > 0 && compare(place, this.#confirmed[at - 1]?.place as ActionPlace) === 0) return false;
    // Older than all that are shown, which are as many as are wanted.
    if (at === 0 && this.#confirmed.length >= this.#keep) return false;
    this.#confirmed.splice(at, 0, this.#confirmedItem(action));
    return true;
  }

  /** The device need not keep what is older. */
  #trim(): void {
    this.#untrimmed = 0;
    const first = this.#confirmed[0]?.place;
    if (first && this.#whole)
      this.#at.streams.parts.dispatch({
        type: 'streamState',
        stream: this.#at.handle,
        revision: first[0],
      });
  }

  async page(options?: PageOptions<unknown> | null): Promise<unknown[]> {
    return (await this.history(options)).map(({ value }) => value);
  }

  async history(options?: PageOptions<unknown> | null): Promise<Entry<unknown>[]> {
    const { before, limit = defaultPage } = options ?? {};
    if (!Number.isInteger(limit) || limit < 1 || limit > maxPage)
      throw new LimitError('limit', `\`limit\` is a number from 1 to ${maxPage}.`);
    const from = this.#placeOf(before);
    const shown = this.#confirmed.filter(({ place }) => compare(place as ActionPlace, from) < 0);
    if (this.#whole && shown.length >= limit) return shown.slice(-limit);
    return (await this.#read(from, limit)).map((action) => this.#confirmedItem(action));
  }

  /** From the device; what that does not have, from the server. */
  async #read(from: ActionPlace, limit: number): Promise<readonly ConfirmedAction[]> {
    const { streams, handle } = this.#at;
    const { actions, floor } = await streams.page(handle, from, limit);
    if (!streams.parts.remote || (this.#whole && (actions.length === limit || floor === 0)))
      return actions;
    // If something is missing on the device, it may be in the middle, too.
    const has = this.#whole ? actions : [];
    const [first = null] = has;
    try {
      const older = await this.#ask(first?.place ?? from, limit - has.length);
      return [...older, ...has];
    } catch (error) {
      if (!(error instanceof SkerryError) || actions.length === 0) throw asNetwork(error);
      return actions;
    }
  }

  /** A page of the server ends early where its actions are large. Each has one at least. */
  async #ask(before: ActionPlace, limit: number): Promise<readonly ConfirmedAction[]> {
    const names = [this.realm, this.name].map(encodeURIComponent).join('/');
    const found: ConfirmedAction[] = [];
    for (;;) {
      const from = found[0]?.place ?? before;
      const at = compare(from, theEnd) < 0 ? `before=${from[0]}.${from[1]}&` : '';
      const wanted = limit - found.length;
      const page = await this.#at.streams.history(`/streams/${names}?${at}limit=${wanted}`);
      const { actions, more } = (page ?? {}) as { actions?: unknown; more?: unknown };
      if (!Array.isArray(actions))
        throw new NetworkError('bad_answer', 'The server returned no page.');
      const older = actions.map(
        (action: ConfirmedAction & { revision: number; position: number }) => ({
          ...action,
          place: [action.revision, action.position] as const,
        }),
      );
      found.unshift(...older);
      if (more !== true || older.length === 0 || found.length >= limit) return found;
    }
  }

  #placeOf(before: unknown): ActionPlace {
    if (before === undefined) return theEnd;
    const isObject = typeof before === 'object' && before !== null;
    const entry = isObject ? this.#entryOf.get(before) : undefined;
    if (entry) return entry.place ?? theEnd;
    throw new ValidationError(
      'invalid_argument',
      '`before` is an item of this stream, or an entry.',
    );
  }

  #confirmedItem({ id, name, arg, at, madeAt, author, place }: ConfirmedAction): Item {
    return this.#item(arg, {
      ...{ id, name, at: new Date(at), madeAt: new Date(madeAt), author },
      ...{ pending: false, place },
    });
  }

  #pendingItem({ id, name, arg, at }: PendingAction): Item {
    const madeAt = new Date(at);
    return this.#item(arg, {
      id,
      name,
      at: null,
      madeAt,
      author: null,
      pending: true,
      place: null,
    });
  }

  #item(arg: unknown, rest: Omit<Item, 'value'>): Item {
    const value = this.#at.streams.parts.registry.decode(arg);
    const item = Object.freeze({ value, ...rest });
    this.#entryOf.set(item, item);
    if (typeof value === 'object' && value !== null) this.#entryOf.set(value, item);
    return item;
  }
}

function asNetwork(error: unknown): unknown {
  if (error instanceof NetworkError) return error;
  const { code = 'network', message } = error as { code?: ErrorCode; message: string };
  return new NetworkError(code, message, { cause: error, retryable: true });
}

/** An item that is pending no more and confirmed has changed; one that is gone was refused. */
function deltaOf(
  { actions, pending }: StreamNews,
  before: ReadonlySet<string>,
  inserted: readonly string[],
): Delta {
  const confirmed = new Set(actions.map(({ id }) => id));
  return Object.freeze({
    added: [
      ...inserted.filter((id) => !before.has(id)),
      ...pending.added.map(({ id }) => id).filter((id) => !before.has(id)),
    ],
    removed: pending.removed.filter((id) => !confirmed.has(id)),
    changed: inserted.filter((id) => before.has(id)),
    moved: [],
  });
}
