/**
 * Feed: one for each database that is inspected, however many inspectors are open on it. It hears the database's channel by a channel of its
 * own, asks the workers to report their requests, and reads storage when something has happened. Without an inspector there is none.
 */
import type { DatabaseCore } from '../api/database-core.ts';
import type { SyncStatus } from '../api/sync-status.ts';
import type {
  AddedMessage,
  LeaseMessage,
  RecordMessage,
  StatusMessage,
} from '../core/core-types.ts';
import type { InspectMessage, Message, TraceMessage } from '../core/messages.ts';
import type { Channel } from '../host/channel.ts';
import { estimateStorage } from '../host/estimate.ts';
import { Actions } from './actions.ts';
import type { FeedState } from './feed-state.ts';
import { inspectorLimits } from './limits.ts';
import { makeView } from './make-view.ts';
import { Queries } from './queries.ts';
import { Requests } from './requests.ts';
import { Ring } from './ring.ts';
import { countStored, nothingStored, readStored, textOf } from './stored.ts';
import type { InspectedLine, InspectorView } from './view.ts';

/** Changes within this time are read together. */
const gatherMs = 200;
/** So often workers are asked again: they report for a minute. */
const askMs = 20_000;
/** Counting and estimating take the browser longer. */
const countMs = 2000;

export class Feed {
  readonly #state: FeedState;
  readonly #listeners = new Set<(view: InspectorView) => void>();
  readonly #timers;
  #stops: (() => void)[] = [];
  #channels: Channel[] = [];
  #reading: Promise<void> | null = null;
  #again = false;
  /** A reading is due. */
  #isWaiting = false;
  #countedAt = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #phase = '';
  #pusher = '';
  /** The one that was heard of last. */
  #worker = '';
  #failure = '';
  #view: InspectorView;

  constructor(core: DatabaseCore) {
    const { lives, host, tab } = core.parts;
    this.#state = {
      core,
      actions: new Actions(tab),
      requests: new Requests(tab),
      queries: new Queries(lives, host.clock),
      log: new Ring(inspectorLimits.log),
      ...{ stored: nothingStored, records: null, estimate: null, error: null },
      closed: core.parts.state.isOver ? 'close' : null,
    };
    this.#timers = host.timers();
    this.#view = makeView(this.#state);
  }

  get view(): InspectorView {
    return this.#view;
  }

  /** The first listener begins it, and the end of the last one ends it. */
  add(fn: (view: InspectorView) => void): () => void {
    // An entry of its own, so that one function can be added twice.
    const entry = (view: InspectorView) => fn(view);
    this.#listeners.add(entry);
    if (this.#listeners.size === 1) this.#start();
    return () => {
      if (this.#listeners.delete(entry) && this.#listeners.size === 0) this.#stop();
    };
  }

  get isRunning(): boolean {
    return this.#stops.length > 0;
  }

  #start(): void {
    const { sync, conflicts, problems, events, host } = this.#state.core.parts;
    const soon = () => this.#soon();
    const line = (is: InspectedLine['is'], detail: string) => this.#line(is, detail);
    this.#stops = [
      sync.subscribe((status) => this.#status(status)),
      conflicts.subscribe(soon),
      problems.subscribe(soon),
      events.listen('dataLost', ({ detail }: { detail: string }) => line('data-lost', detail)),
      events.listen('storageFailed', ({ error }: { error: Error }) =>
        line('storage-failed', error.message),
      ),
      events.listen('updateNeeded', ({ reason }: { reason: string }) =>
        line('update-needed', reason),
      ),
      events.listen('closed', ({ reason }: { reason: string }) => this.#closed(reason)),
      // A page with a channel that is open is not kept for its user to go back to.
      host.page.on(({ type, ...event }) => {
        if (type === 'freeze' || (type === 'pagehide' && 'persisted' in event && event.persisted))
          this.#closeChannels();
        else if (type === 'resume' || type === 'pageshow') this.#openChannels();
      }),
    ];
    const { mutations } = this.#state.core.parts;
    mutations.watch = (news) => {
      this.#state.actions.heard(news, host.clock.now());
      soon();
    };
    this.#state.queries.start(soon);
    this.#openChannels();
    this.#status(sync.status);
    void this.read();
  }

  #stop(): void {
    this.#ask(false);
    for (const stop of this.#stops.splice(0)) stop();
    this.#state.core.parts.mutations.watch = null;
    this.#state.queries.stop();
    this.#closeChannels();
    this.#timers.clear();
  }

  #openChannels(): void {
    if (this.#channels.length > 0 || this.#state.closed !== null) return;
    const { host, database } = this.#state.core.parts;
    // Records of a database without a remote are on the second one.
    this.#channels = ['', '/windows'].map((among) =>
      host.channels.open(database + among, (message) => this.#hear(message as Message)),
    );
    this.#askAgain();
  }

  #closeChannels(): void {
    for (const channel of this.#channels.splice(0)) channel.close();
  }

  #ask(on: boolean): void {
    const message: InspectMessage = { type: 'inspect', on };
    this.#channels[0]?.post(message);
  }

  #askAgain(): void {
    this.#ask(true);
    this.#timers.set('ask', askMs, () => this.#askAgain());
  }

  /** Any script of the origin may write to the channel. */
  #hear(message: Message | null): void {
    const at = this.#state.core.parts.host.clock.now();
    switch (message?.type) {
      case 'added': {
        const { tab, items } = message as Partial<AddedMessage> & Message;
        if (Array.isArray(items)) this.#state.actions.added(tab, items, at);
        break;
      }
      case 'record':
        this.#state.actions.record((message as RecordMessage).record ?? {}, at);
        break;
      case 'trace': {
        const trace = message as TraceMessage;
        this.#state.requests.take(trace);
        // What is sent is in the outbox until a pull has confirmed it.
        if (trace.path?.endsWith('/push')) void this.read();
        break;
      }
      case 'pushed':
        void this.read();
        break;
      case 'lease':
        this.#met((message as LeaseMessage).lease?.owner);
        break;
      case 'status':
        // Of a service worker, which announces no lease.
        this.#met((message as StatusMessage).shared?.instance);
        break;
      case 'inspect':
        // Another inspector has closed.
        if (!(message as InspectMessage).on) this.#ask(true);
        return;
      case undefined:
        return;
    }
    this.#soon();
  }

  /** A worker that has started just now has not heard that it is inspected. */
  #met(worker: string | null | undefined): void {
    if (!worker || worker === this.#worker) return;
    this.#worker = worker;
    this.#ask(true);
  }

  #status(status: SyncStatus): void {
    const { phase, mode, lease, error } = status;
    const pusher = `${mode} ${lease?.owner ?? 'nobody'}`;
    const failure = error ? `${error.code}: ${error.message}` : '';
    if (phase !== this.#phase) this.#line('phase', phase);
    if (pusher !== this.#pusher) this.#line('pusher', pusher);
    if (failure !== this.#failure && error) this.#line('error', failure);
    const isPushing = phase === 'pushing' && this.#phase !== phase;
    this.#phase = phase;
    this.#pusher = pusher;
    this.#failure = failure;
    if (isPushing) void this.read();
    else this.#soon();
  }

  #line(is: InspectedLine['is'], detail: string): void {
    const at = this.#state.core.parts.host.clock.now();
    this.#state.log.set(String(++this.#lines), { at, is, detail: textOf(detail) });
    this.#soon();
  }

  #closed(reason: string): void {
    this.#state.closed = reason;
    this.#line('closed', reason);
    this.#ask(false);
    this.#closeChannels();
    this.#timers.clear();
    this.#notify();
  }

  #soon(): void {
    if (this.isRunning && !this.#isWaiting) {
      this.#isWaiting = true;
      this.#timers.set('read', gatherMs, () => void this.read());
    }
  }

  /** Reads now. Resolves when the view has what was stored before. */
  async read(): Promise<void> {
    this.#isWaiting = false;
    this.#timers.cancel('read');
    if (this.#reading) {
      this.#again = true;
      return this.#reading;
    }
    this.#reading = this.#readAll();
    await this.#reading;
  }

  async #readAll(): Promise<void> {
    do {
      this.#again = false;
      await this.#readOnce();
    } while (this.#again && this.isRunning);
    this.#reading = null;
    this.#notify();
  }

  async #readOnce(): Promise<void> {
    const state = this.#state;
    if (state.closed !== null) return;
    const { storage, host } = state.core.parts;
    try {
      const at = host.clock.now();
      state.stored = await readStored(storage);
      state.actions.pending(state.stored.pending, at);
      state.actions.updates(state.stored.updates, at);
      if (host.clock.mono() - this.#countedAt > countMs) {
        this.#countedAt = host.clock.mono();
        state.records = await countStored(storage);
        state.estimate = await estimateStorage();
      }
      state.error = null;
    } catch (error) {
      // A page that is frozen has no storage, for example. The next reading may succeed.
      state.error = textOf((error as Error).message);
    }
  }

  #notify(): void {
    if (!this.isRunning) return;
    this.#view = makeView(this.#state);
    for (const fn of [...this.#listeners]) {
      try {
        fn(this.#view);
      } catch (error) {
        // The listener's own, which is reported as one that nothing catches.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
