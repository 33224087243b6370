/**
 * The world of the random test: profiles of two users in memory with the real core and the real sync worker, a naive server, time
 * that passes by hand, and faults. It counts what must be gone in the end.
 */
import { http } from 'skerry';
import { ManualTime, type MemoryHost, memory } from 'skerry/testing';
import type { WorkerHandlers, WorkerLink } from '../../../js/host/worker-link.ts';
import { FakeServer } from '../fake-server.ts';
import { type App, turn } from '../support.ts';
import { Random } from './random.ts';

const times = { retry: 100, retryMax: 400, beat: 50, look: 50, timeout: 250, socketRetry: 20 };

/** A worker of one window: the model looks at the messages that it gets, and whether it lives. */
export interface LiveWorker {
  readonly owner: object;
  /** Its program ends by an error. */
  fail(): void;
}

/** When workers failed, and when the next one has to be started at the latest: the rule of js/host/backoff.ts, said again. */
class Failures {
  readonly #of = new Map<
    object,
    { at: number; pause: number; due: number | null; message: string }
  >();

  failed(owner: object, message: string, at: number): void {
    const last = this.#of.get(owner);
    const isNew = !last || at - last.at > 2 * times.retryMax;
    const pause = isNew ? times.retry : Math.min(2 * last.pause, times.retryMax);
    this.#of.set(owner, { at, pause, due: at + pause, message });
  }

  /** By how much it was started too late, or null. */
  started(owner: object, at: number): number | null {
    const last = this.#of.get(owner);
    const due = last?.due ?? null;
    if (last) last.due = null;
    return due !== null && at > due ? at - due : null;
  }

  forgive(owner: object): void {
    const last = this.#of.get(owner);
    if (last) last.due = null;
  }

  last(owner: object): { readonly message: string } | undefined {
    return this.#of.get(owner);
  }
}

/** One user's browser profile. */
export class Profile {
  readonly world: ModelWorld;
  readonly user: string;
  readonly host: MemoryHost;
  readonly workers = new Set<LiveWorker>();
  readonly held = new Set<{ readonly what: string }>();
  /** Whether workers fail instead of starting. */
  workersFail = false;
  /** Whether the application can get no token. */
  tokensFail = false;
  readonly #failures = new Failures();
  #count = 0;

  constructor(world: ModelWorld, user: string) {
    this.world = world;
    this.user = user;
    this.host = memory({ time: world.time, workerTimes: times });
    world.server?.attach(this.host.network);
    // Workers take their time now and then, so that something may happen while they start.
    const { storage } = this.host;
    const { reopen } = storage;
    storage.reopen = async (...args) => {
      if (world.random.chance(0.3))
        await new Promise<void>((resolve) => world.later(world.random.below(300), resolve));
      return reopen.apply(storage, args);
    };
  }

  get database(): string {
    return `skerry/test/${this.user}`;
  }

  /** What `open` is given; `onToken` hears whether a token could be had. */
  options(onToken: (had: boolean) => void): object {
    if (!this.world.server) return {};
    const token = async () => {
      onToken(!this.tokensFail);
      if (this.tokensFail) throw new Error('no token by order of the model');
      return `dev:${this.user}`;
    };
    const remote = http('http://server.test/v1', { token });
    return { remote, user: this.user, defaultRealm: 'public' };
  }

  /** The host of one more window; `owner` stands for it. */
  window(owner: object, onPost: (message: { readonly type: string }) => void): MemoryHost {
    const host = this.host.window();
    const start = (url: URL | null, handlers: WorkerHandlers) => {
      const failed = (message: string) => {
        if (!this.workers.has(worker)) return;
        this.#failures.failed(owner, message, this.world.time.mono());
        handlers.onFailed(new Error(message));
      };
      const worker: LiveWorker = { owner, fail: () => failed(`crash ${++this.#count}`) };
      this.workers.add(worker);
      const late = this.#failures.started(owner, this.world.time.mono());
      if (late !== null) this.world.fail(`the worker was started ${late} ms too late`);
      const link = this.workersFail ? null : host.workers.start(url, handlers);
      if (!link) queueMicrotask(() => failed(`failure ${++this.#count}`));
      return {
        post: (message: Parameters<WorkerLink['post']>[0]) => {
          onPost(message);
          link?.post(message);
        },
        terminate: () => {
          this.workers.delete(worker);
          link?.terminate();
        },
      };
    };
    const { on } = host.page;
    host.page.on = (fn) => this.#held('a listener of the page', on.call(host.page, fn));
    const open = (name: string, onMessage: (message: unknown) => void) => {
      const channel = host.channels.open(name, onMessage);
      return { ...channel, close: this.#held(`the channel ${name}`, () => channel.close()) };
    };
    return { ...host, workers: { start }, channels: { open } };
  }

  /** Something that must have been ended when all windows are closed. */
  #held(what: string, end: () => void): () => void {
    const held = { what };
    this.held.add(held);
    return () => {
      this.held.delete(held);
      end();
    };
  }

  /** With what words the worker of this window failed last. */
  failureOf(owner: object): string | undefined {
    return this.#failures.last(owner)?.message;
  }

  /** The page of this window stood still: its worker is started by and by, when it comes back. */
  forgive(owner: object): void {
    this.#failures.forgive(owner);
  }

  /** Whether something is wrong for which a call may fail. */
  get faulty(): boolean {
    const { fail, quota, hold, refuseOpen } = this.host.storage.faults;
    return (
      fail ||
      quota ||
      hold ||
      refuseOpen ||
      this.workersFail ||
      this.tokensFail ||
      !this.host.network.online
    );
  }

  heal(): void {
    Object.assign(this.host.storage.faults, { fail: false, quota: false, refuseOpen: false });
    this.host.storage.release();
    this.host.network.online = true;
    this.workersFail = false;
    this.tokensFail = false;
  }
}

interface Promised {
  readonly what: string;
  settled: boolean;
}

export class ModelWorld {
  readonly random: Random;
  readonly time = new ManualTime();
  readonly server: FakeServer | null;
  readonly profiles: readonly Profile[];
  readonly problems: string[] = [];
  readonly trace: string[] = [];
  /** Faults and other events so far after which a call may fail. */
  disturbances = 0;
  refuses = true;
  readonly #promises: Promised[] = [];
  readonly #late: (() => void)[] = [];
  readonly #deadlines: { readonly promised: Promised; readonly at: number }[] = [];
  readonly #timers = this.time.timers();
  #serial = 0;
  #isLate = false;
  /** Without a server: the window with which the others are compared. */
  reference: { readonly db: App } | null = null;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.server = seed % 3 === 0 ? null : new FakeServer();
    if (this.server) {
      this.server.refuse = ({ set }) =>
        set?.['name'] === 'bad' && this.refuses ? 'not_nice' : null;
      this.server.late = () =>
        this.#isLate ? new Promise((resolve) => this.#late.push(resolve)) : null;
    }
    this.profiles = (this.server ? ['anna', 'bo'] : ['local']).map(
      (user) => new Profile(this, user),
    );
  }

  fail(problem: string): void {
    this.problems.push(problem);
  }

  say(line: string): void {
    this.trace.push(`${this.time.mono()} ms: ${line}`);
  }

  /** The server answers no request until it is released. */
  delayAnswers(late: boolean): void {
    this.#isLate = late;
    if (!late) for (const release of this.#late.splice(0)) release();
  }

  /** A promise of the API: it must settle by the end, and how is for the callbacks to judge. */
  promise<V>(
    what: string,
    promise: Promise<V>,
    kept: (value: V) => void,
    broken: (error: { name: string; code?: string; message: string }) => void,
  ): Promised {
    const promised = { what, settled: false };
    this.#promises.push(promised);
    promise.then(
      (value) => {
        promised.settled = true;
        kept(value);
      },
      (error) => {
        promised.settled = true;
        broken(error);
      },
    );
    return promised;
  }

  get unsettled(): string[] {
    return this.#promises.filter(({ settled }) => !settled).map(({ what }) => what);
  }

  /** By then it must have settled. */
  deadline(promised: Promised, at: number): void {
    this.#deadlines.push({ promised, at });
  }

  checkDeadlines(): void {
    for (const { promised, at } of this.#deadlines)
      if (!promised.settled && this.time.mono() > at) this.fail(`${promised.what} is late`);
  }

  later(ms: number, act: () => void): void {
    this.#timers.set(`later ${this.#serial++}`, ms, act);
  }

  /** Nothing of `later` is due any more. */
  clear(): void {
    this.#timers.clear();
  }

  /** Lets time pass in steps in which all windows progress. */
  async pass(ms: number, step = 50): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      this.time.advance(Math.min(step, left));
      await turn();
    }
  }

  /** Lets all windows progress until the condition holds, or the world has had time enough. */
  async rest(condition: () => boolean, limitMs = 60_000): Promise<boolean> {
    const end = this.time.mono() + limitMs;
    for (;;) {
      await turn();
      if (condition()) return true;
      if (this.time.mono() > end) return false;
      this.time.advance(50);
    }
  }
}
