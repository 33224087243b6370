/** What an open stream knows of all streams of its database, and they of it: so neither needs the other's class. */

import type { StreamNews, StreamPageEffect, WantedStream } from '../core/core-types.ts';
import type { TypeRegistry } from '../core/special-json.ts';
import type { StreamItem } from '../core/window-core.ts';
import type { StreamEvent } from '../core/window-effects.ts';
import type { Timers } from '../host/timers.ts';
import type { CallQueue } from './call-queue.ts';
import type { Mutations } from './mutations.ts';
import type { Problems } from './problems.ts';
import type { Mutation } from './types.ts';

export interface StreamParts {
  readonly mutations: Mutations;
  readonly calls: CallQueue;
  readonly registry: TypeRegistry;
  readonly problems: Problems;
  /** The default realm of the database. */
  readonly realm: string;
  readonly timers: Timers;
  readonly dispatch: (event: StreamEvent) => void;
  /** Whether the worker runs, so that messages reach it. */
  isWorkerRunning(): boolean;
  post(
    message:
      | { readonly type: 'streams'; readonly add: readonly WantedStream[] }
      | {
          readonly type: 'history';
          readonly id: number;
          readonly path: string;
          readonly body?: string;
        },
  ): void;
  readonly remote: boolean;
}

/** One open stream, as its registry knows it. */
export interface OpenStream {
  /** Takes news, and returns the calls that are due. */
  take(news: StreamNews): (() => void)[];
}

/** How a stream is opened, beside its name and realm (the event `streamOpen`). */
export type StreamOpening = Omit<
  Extract<StreamEvent, { type: 'streamOpen' }>,
  'type' | 'stream' | 'realm' | 'name'
>;

export interface StreamPort {
  readonly parts: StreamParts;
  /** `unfit` hears why `inverse` cannot be appended. */
  append(
    stream: string,
    realm: string,
    action: unknown,
    inverse?: StreamItem | null,
    unfit?: (why: string) => void,
  ): Mutation<void>;
  page(stream: number, before: readonly [number, number], limit: number): Promise<StreamPageEffect>;
  history(path: string, body?: string): Promise<unknown>;
  reopen(stream: OpenedStream, opening: StreamOpening): void;
}

/** A stream, by the number under which the core knows it. */
export interface OpenedStream {
  readonly handle: number;
  readonly name: string;
  readonly realm: string;
  readonly streams: StreamPort;
}
