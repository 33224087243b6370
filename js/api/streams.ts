/**
 * Streams: named sequences of actions in a realm (docs/guide/streams.md). The core hands over confirmed actions in their
 * order, and the pending ones; this file shows them, or folds them by the application's reducer. No code of the application
 * runs inside of a call of the core.
 */

import type {
  HistoryAnswerMessage,
  StreamNews,
  StreamPageEffect,
  WantedStream,
} from '../core/core-types.ts';
import { ClosedError, errorFromCode, ValidationError } from '../core/errors.ts';
import type { StreamItem } from '../core/window-core.ts';
import { guard } from './call-queue.ts';
import { PlainStream } from './data-stream.ts';
import { FoldedStream, type Functions } from './reduced-stream.ts';
import { checkName, isName, itemOf } from './stream-name.ts';
import type {
  OpenedStream,
  OpenStream,
  StreamOpening,
  StreamParts,
  StreamPort,
} from './stream-port.ts';
import type { DataStreamOptions, ReducedStreamOptions } from './stream-types.ts';
import type { Mutation } from './types.ts';

/** A page that was asked for. */
interface PendingPage<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

const defaultKeep = 1_000;
const maxKeep = 10_000;

export class Streams implements StreamPort {
  readonly parts: StreamParts;
  readonly #open = new Map<number, OpenStream>();
  readonly #byKey = new Map<string, PlainStream | FoldedStream>();
  readonly #wanted = new Map<string, WantedStream>();
  readonly #pages = new Map<number, PendingPage<StreamPageEffect>>();
  readonly #histories = new Map<number, PendingPage<unknown>>();
  #last = 0;
  #isClosed = false;

  constructor(parts: StreamParts) {
    this.parts = parts;
  }

  /** `db.stream`. The same stream is opened once. */
  open(
    name: string,
    given?: (DataStreamOptions & Partial<ReducedStreamOptions<never, never>>) | null,
  ) {
    const options = given ?? {};
    if (this.#isClosed) throw new ClosedError('closed', 'The database is closed.');
    checkName(name);
    checkOptions(options);
    const { realm = this.parts.realm } = options;
    const key = `${realm}\0${name}\0${options.reducer ? `r${options.version ?? 1}` : 'p'}`;
    const known = this.#byKey.get(key);
    if (known) return reopened(known, options);
    const handle = ++this.#last;
    const where = { handle, name, realm, streams: this };
    const stream = options.reducer
      ? new FoldedStream(where, options as unknown as ReducedStreamOptions<unknown, unknown>)
      : new PlainStream(where, keepOf(options.keep));
    this.#open.set(handle, stream);
    this.#byKey.set(key, stream);
    this.parts.dispatch({ type: 'streamOpen', stream: handle, realm, name, ...stream.opening });
    return stream;
  }

  /** Opens the stream again, with other options. */
  reopen({ handle, realm, name }: OpenedStream, opening: StreamOpening): void {
    this.parts.dispatch({ type: 'streamClose', stream: handle });
    this.parts.dispatch({ type: 'streamOpen', stream: handle, realm, name, ...opening });
  }

  close(): void {
    this.#isClosed = true;
    const error = new ClosedError('closed', 'The database is closed.');
    for (const asked of this.#pages.values()) asked.reject(error);
    this.#pages.clear();
    this.abandon(error);
    this.#open.clear();
    this.parts.timers.clear();
  }

  /** The worker has ended. Its unanswered requests fail. */
  abandon(error: Error): void {
    for (const asked of this.#histories.values()) asked.reject(error);
    this.#histories.clear();
  }

  /** Takes the news of `sk_drain`, and queues the calls of subscribers. */
  take(news: readonly StreamNews[]): void {
    for (const one of news)
      guard(() => this.parts.calls.add(this.#open.get(one.stream)?.take(one) ?? []));
  }

  append(
    stream: string,
    realm: string,
    action: unknown,
    inverse?: StreamItem | null,
    unfit?: (why: string) => void,
  ): Mutation<void> {
    const { mutations, registry } = this.parts;
    return mutations.append(stream, realm, itemOf(registry, action), inverse, unfit);
  }

  /** The stored actions before a place. */
  page(
    stream: number,
    before: readonly [number, number],
    limit: number,
  ): Promise<StreamPageEffect> {
    const [revision, position] = before;
    return this.#ask(this.#pages, (id) =>
      this.parts.dispatch({ type: 'streamPage', id, stream, revision, position, limit }),
    );
  }

  /** The server's actions before a place; with `body` the answer to a POST. Rejects if the server cannot be asked. */
  history(path: string, body?: string): Promise<unknown> {
    if (!this.parts.isWorkerRunning())
      return Promise.reject(errorFromCode('network', 'The server cannot be asked now.'));
    return this.#ask(this.#histories, (id) =>
      this.parts.post({ type: 'history', id, path, ...(body === undefined ? {} : { body }) }),
    );
  }

  #ask<T>(asked: Map<number, PendingPage<T>>, send: (id: number) => void): Promise<T> {
    if (this.#isClosed) return Promise.reject(new ClosedError('closed', 'The database is closed.'));
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      asked.set(id, { resolve, reject });
      send(id);
    });
  }

  /** The effect `streamPage`. */
  paged(effect: StreamPageEffect): void {
    const asked = this.#pages.get(effect.id);
    this.#pages.delete(effect.id);
    if (effect.error === null) asked?.resolve(effect);
    else asked?.reject(errorFromCode('storage_failed', 'The stream could not be read.'));
  }

  /** The worker's answer to `history`. */
  answered({ id, page, error }: HistoryAnswerMessage): void {
    const asked = this.#histories.get(id);
    this.#histories.delete(id);
    if (error === null) asked?.resolve(page);
    else asked?.reject(errorFromCode(error.code, error.message, error));
  }

  /** What windows want of streams; posted to the worker now, or when it starts. */
  want(add: readonly WantedStream[]): void {
    const more = add.filter(({ stream, last }) => {
      const held = this.#wanted.get(stream);
      return !held || held.last !== undefined || last === undefined;
    });
    for (const wanted of more) {
      const held = this.#wanted.get(wanted.stream);
      this.#wanted.set(wanted.stream, held ? both(held, wanted) : wanted);
    }
    this.#post(more);
  }

  /** Sends all wanted streams to a worker that has just started. */
  post(): void {
    this.#post([...this.#wanted.values()]);
  }

  #post(add: readonly WantedStream[]): void {
    if (add.length === 0 || !this.parts.isWorkerRunning()) return;
    this.parts.post({ type: 'streams', add });
    // A restart is requested only once.
    for (const { again: _, ...wanted } of add) {
      const held = this.#wanted.get(wanted.stream);
      if (held?.again) this.#wanted.set(wanted.stream, wanted);
    }
  }
}

function checkOptions(options: Partial<ReducedStreamOptions<never, never>>): void {
  const { realm } = options;
  if (realm !== undefined && !isName(realm))
    throw new ValidationError(
      'invalid_argument',
      "The `realm` of a stream must be a realm's name.",
    );
  for (const name of ['migrate', 'inverse'] as const) {
    if (options[name] === undefined || typeof options[name] === 'function') continue;
    const text = `The \`${name}\` of a stream must be a function.`;
    throw new ValidationError('invalid_argument', text);
  }
}

function keepOf(keep = defaultKeep): number {
  if (!Number.isInteger(keep) || keep < 1 || keep > maxKeep)
    throw new ValidationError('invalid_argument', `\`keep\` is a number from 1 to ${maxKeep}.`);
  return keep;
}

/** Merges two requests of this window for a stream. If they have different versions of a reducer, the higher one counts. */
function both(held: WantedStream, wanted: WantedStream): WantedStream {
  const isOlder = !wanted.again && (wanted.reducer ?? 0) < (held.reducer ?? 0);
  const { last: _, ...stream } = isOlder ? held : wanted;
  const isWhole = held.last === undefined || wanted.last === undefined;
  return isWhole ? stream : { ...stream, last: Math.max(held.last ?? 0, wanted.last ?? 0) };
}

/**
 * A stream that is open already. Reducers of one version give the same states, so another function is no other reducer: a component
 * that writes it inline has a new one each time.
 */
function reopened(
  stream: PlainStream | FoldedStream,
  { keep, ...reduced }: DataStreamOptions & Partial<ReducedStreamOptions<never, never>>,
): PlainStream | FoldedStream {
  if (stream instanceof FoldedStream) stream.use(reduced as unknown as Functions);
  else if (keep !== undefined && keepOf(keep) !== stream.opening.keep)
    throw new ValidationError(
      'invalid_argument',
      `The stream ${stream.name} is open with another \`keep\`: ${stream.opening.keep}.`,
    );
  return stream;
}

/** The names of streams, as `open` has them. */
export function streamsOf(names: readonly string[]): WantedStream[] {
  return names.map((stream) => (stream.endsWith('*') ? { stream } : { stream, last: defaultKeep }));
}
