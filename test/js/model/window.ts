/**
 * One window of the random test, with what a naive model knows of it: which promises it has given and what they must do, who is
 * subscribed, which scopes it wants.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Live } from '../../../js/api/types.ts';
import type { MemoryPage } from '../../../js/host/memory/memory-page.ts';
import { type App, openApp } from '../support.ts';
import { type LiveSpec, liveSpecs, Subscriber, show } from './lives.ts';
import type { ModelWorld, Profile } from './world.ts';

export const countries = ['SE', 'NO', 'FI'] as const;
const cityIds = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;

interface Made {
  /** The name of the row that it makes besides. */
  readonly mark: string;
  readonly id: string;
  durable: boolean;
  confirmed: boolean;
  /** Given up: refused by the server, or for want of room, or its window was closed first. */
  failed: string | null;
}

interface Wanted {
  readonly country: string;
  readonly scope: ReturnType<App['sync']['scope']>;
  ready: boolean;
}

export class ModelWindow {
  readonly profile: Profile;
  readonly world: ModelWorld;
  readonly name: string;
  readonly made: Made[] = [];
  /** Marks of mutations that the server refuses: they make no row besides. */
  readonly bad = new Set<string>();
  readonly subscribers: Subscriber[] = [];
  readonly lives: { readonly spec: LiveSpec; readonly live: Live<unknown> }[] = [];
  wanted: Wanted[] = [];
  state: 'open' | 'frozen' | 'closing' | 'closed' = 'open';
  /** While storage has failed and does not work again, the status has to say so. */
  sick = false;
  db!: App;
  page!: MemoryPage;
  readonly #statuses: unknown[] = [];
  #stopStatus: (() => void) | null = null;
  #isWriting = false;
  /** The application could get no token when it was asked last. */
  #lacksToken = false;
  #marks = 0;
  paused = false;
  /** A subscriber is being called: what it causes is delivered when all have been called. */
  reacting = false;

  private constructor(profile: Profile, name: string) {
    this.profile = profile;
    this.world = profile.world;
    this.name = name;
  }

  static async open(profile: Profile, name: string, more: object = {}): Promise<ModelWindow> {
    const window = new ModelWindow(profile, name);
    const host = profile.window(window, (message) => window.#posted(message));
    window.page = host.page;
    const { server } = profile.world;
    // The second user keeps a part of the cities only, and asks for more.
    const parts = (q: App) => [q.people, q.groups, q.members, q.cities.where('country', '=', 'SE')];
    const scopes = profile.user === 'bo' ? parts : 'all';
    const onToken = (had: boolean) => {
      window.#lacksToken = !had;
    };
    const options = { ...profile.options(onToken), ...(server ? { scopes } : {}), ...more };
    window.db = await openApp(host, options as never);
    window.db.on('closed', () => {
      if (window.state === 'closed') window.fail('closed was emitted twice');
      window.state = 'closed';
      for (const subscriber of window.subscribers) subscriber.stopped = true;
    });
    window.db.on('storageFailed', () => {
      window.sick = true;
    });
    window.#listenToStatus();
    return window;
  }

  get isOpen(): boolean {
    return this.state === 'open' || this.state === 'frozen';
  }

  fail(problem: string): void {
    this.world.fail(`${this.name}: ${problem}`);
  }

  #listenToStatus(): void {
    let stopped = false;
    const stop = this.db.sync.subscribe((status) => {
      if (stopped) this.fail('a listener of the status was called after its end');
      if (status === this.#statuses.at(-1)) this.fail('a status came twice');
      this.#statuses.push(status);
    });
    this.#stopStatus = () => {
      stopped = true;
      stop();
    };
  }

  /** One listener more, which ends another when it is called, and asks for the status after a change of its own. */
  listenBefore(): void {
    const stop = this.db.sync.subscribe(() => {
      stop();
      this.#stopStatus?.();
      this.#statuses.length = 0;
      if (this.state === 'open') this.db.sync.now().catch(() => {});
      this.#listenToStatus();
    });
  }

  /** Nothing is dropped while a caller here wants it. */
  #posted(message: { readonly type: string; readonly drop?: readonly object[] }): void {
    if (message.type !== 'scopes') return;
    for (const { country } of this.wanted) {
      const filter = { table: 'cities', where: ['=', 'country', country] };
      if (message.drop?.some((dropped) => isDeepStrictEqual(dropped, filter)))
        this.fail(`cities of ${country} were dropped, which a caller wants`);
    }
  }

  // Writing.

  /** One transaction; what subscribers hear of it is counted. */
  transact(how: 'well' | 'throw' | 'bad'): void {
    const { random } = this.world;
    const mark = `${this.name}-${this.#marks++}`;
    const heard = this.subscribers.map((subscriber) => ({
      subscriber,
      calls: subscriber.heard,
      before: subscriber.spec.expected(this.db),
    }));
    const serial = this.#marks;
    const nested = this.#isWriting || this.reacting;
    const closed = this.state === 'closing';
    const wrote = this.#isWriting;
    this.#isWriting = true;
    try {
      const mutation = this.db.transact((tx) => {
        if (how === 'bad') {
          const id = random.pick(cityIds);
          this.bad.add(mark);
          tx.cities.upsert({ id, name: 'bad', country: 'SE' });
        } else {
          tx.people.create({ name: mark });
          for (let i = random.below(3); i >= 0; i--) this.#write(tx as never);
        }
        if (how === 'throw') throw new RangeError(mark);
      });
      if (how === 'throw') this.fail('a mutator that threw made a mutation');
      this.#follow(mark, how, mutation);
    } catch (error) {
      const { name, message } = error as Error;
      const isOurs = name === 'RangeError' && message === mark && how === 'throw';
      if (!isOurs && !(closed && name === 'ClosedError')) this.fail(`a transaction threw ${error}`);
    } finally {
      this.#isWriting = wrote;
    }
    if (nested || this.state === 'closed') return;
    // Subscribers that wrote in turn have made more than one transaction.
    const alone = this.#marks === serial;
    for (const { subscriber, calls, before } of heard) {
      subscriber.check();
      if (!alone || calls === 0 || subscriber.stopped) continue;
      const changed = !isDeepStrictEqual(before, subscriber.spec.expected(this.db));
      // A row that was deleted before a throw may have come back at another place: it is reported as changed, and is the same.
      if (how === 'throw' && !changed && subscriber.heard - calls <= 1) continue;
      if (subscriber.heard - calls !== (changed ? 1 : 0))
        this.fail(`${subscriber.spec.name}: ${subscriber.heard - calls} calls, changed ${changed}`);
    }
  }

  #write(tx: Parameters<Parameters<App['transact']>[0]>[0]): void {
    const { random, server } = this.world;
    const id = random.pick(cityIds);
    const country = random.pick(countries);
    const city = { id, name: random.pick(['x', 'y', 'z']), country, population: random.below(8) };
    const steps: (() => unknown)[] = [
      () => tx.cities.get(id) ?? tx.cities.create(city),
      () => tx.cities.upsert(city),
      () => tx.cities.update(id, { name: city.name }),
      () => tx.cities.inc(id, { population: 1 }),
      () => tx.cities.delete(id),
      () => tx.cities.updateWhere(tx.cities.where('country', '=', country), { population: 2 }),
      () => tx.cities.deleteWhere(tx.cities.where('population', '>', 6)),
      () => tx.groups.create({ name: city.name }),
      () => {
        const [group] = tx.groups.ids();
        const person = random.pick(tx.people.ids());
        if (group) tx.members.create({ group, person });
      },
      () =>
        tx.members
          .ids()
          .slice(0, 1)
          .map((member) => tx.members.delete(member)),
      // With a server it would be the server's to delete what belongs to it.
      () =>
        server ??
        tx.groups
          .ids()
          .slice(0, 1)
          .map((group) => tx.groups.delete(group)),
      () => this.#mustRefuse(() => this.db.transact(() => {})),
      () => this.lives.at(-1)?.live.value,
      () =>
        this.#mustRefuse(() =>
          random
            .pick(liveSpecs)
            .live(this.db)
            .subscribe(() => {}),
        ),
      () => random.pick(this.subscribers)?.stop(),
    ];
    random.pick(steps)();
  }

  #mustRefuse(call: () => unknown): void {
    try {
      call();
    } catch (error) {
      if ((error as Error).name === 'ValidationError') return;
    }
    this.fail('a transaction, or a live query, began within a transaction');
  }

  #follow(mark: string, how: string, mutation: ReturnType<App['transact']>): void {
    const { world, profile } = this;
    const made: Made = { mark, id: mutation.id, durable: false, confirmed: false, failed: null };
    this.made.push(made);
    if (mutation.id === '') return;
    const isQuota = profile.host.storage.faults.quota;
    const broken = (stage: string) => (error: { name: string; code?: string }) => {
      made.failed ??= error.code ?? error.name;
      const allowed =
        error.code === 'closed' ||
        (error.code === 'quota' && (isQuota || world.disturbances > 0)) ||
        (error.code === 'not_nice' && how === 'bad' && stage !== 'durable') ||
        // What follows a refused change of the same row goes with it.
        (error.code === 'depends' && stage !== 'durable');
      if (!allowed) this.fail(`${stage} of ${mark} broke by ${error.name} ${error.code}`);
    };
    const reached = (stage: string) => {
      if (stage !== 'durable' && world.server && world.server.actions.get(made.id) !== 1)
        this.fail(
          `${stage} of ${mark}: the server has it ${world.server.actions.get(made.id)} times`,
        );
    };
    const stored = world.promise(
      `durable of ${mark}`,
      mutation.durable,
      () => {
        made.durable = true;
        this.sick = false;
      },
      broken('durable'),
    );
    world.promise(`pushed of ${mark}`, mutation.pushed, () => reached('pushed'), broken('pushed'));
    world.promise(
      `confirmed of ${mark}`,
      mutation.confirmed,
      () => {
        made.confirmed = true;
        if (!stored.settled) this.fail(`${mark} was confirmed before it was durable`);
        reached('confirmed');
      },
      broken('confirmed'),
    );
  }

  // Looking.

  look(): void {
    const spec = this.world.random.pick(liveSpecs);
    const live = this.lives.find((other) => other.spec === spec)?.live ?? spec.live(this.db);
    if (!this.lives.some((other) => other.live === live)) this.lives.push({ spec, live });
    const expected = spec.expected(this.db);
    if (!isDeepStrictEqual(live.value, expected))
      this.fail(`${spec.name} is ${show(live.value)}, expected ${show(expected)}`);
    const { value } = live;
    if (live.value !== value) this.fail(`${spec.name} is another object each time`);
  }

  subscribe(then: (self: Subscriber) => void = () => {}): Subscriber {
    const { random } = this.world;
    const spec = random.pick(liveSpecs);
    const known = this.lives.find((other) => other.spec === spec)?.live;
    const live = known && random.chance(0.6) ? known : spec.live(this.db);
    if (live !== known) this.lives.push({ spec, live });
    const subscriber = new Subscriber(this.db, spec, live, (problem) => this.fail(problem), then);
    this.subscribers.push(subscriber);
    return subscriber;
  }

  /** What must hold whenever nothing is under way in this task. */
  check(): void {
    if (this.state === 'closed') return;
    for (const subscriber of this.subscribers) {
      if (!subscriber.stopped && subscriber.heard === 0)
        this.fail(`a subscriber of ${subscriber.spec.name} has not had its first call`);
      subscriber.check();
    }
    const { status } = this.db.sync;
    if (this.isOpen && this.#statuses.length > 0 && this.#statuses.at(-1) !== status)
      this.fail(
        `the last reported status is not the current one: ${show(this.#statuses.at(-1))}, ${show(status)}`,
      );
    const { fail, quota } = this.profile.host.storage.faults;
    const code = status.error?.code ?? 'none';
    if (
      this.sick &&
      this.state === 'open' &&
      (fail || quota) &&
      !['storage', 'quota'].includes(code)
    )
      this.fail(`the status does not say that storage fails, but ${code}`);
    const runs = [...this.profile.workers].some(({ owner }) => owner === this);
    if (this.#lacksToken && runs && this.isOpen && code === 'none')
      this.fail('the status does not say that there is no token');
    const failure = this.profile.failureOf(this);
    if (code === 'worker' && failure !== status.error?.message)
      this.fail(`the status says ${status.error?.message}, the worker failed last by ${failure}`);
    if (this.state !== 'frozen') return;
    for (const { owner } of this.profile.workers)
      if (owner === this) this.fail('the worker of a frozen page runs');
  }

  /** Nothing is the matter for which a call of `sync` might fail. */
  get calm(): boolean {
    return this.state === 'open' && !this.paused && this.page.visible && !this.profile.faulty;
  }

  pause(paused: boolean): void {
    this.paused = paused;
    if (paused) this.db.sync.pause();
    else this.db.sync.resume();
  }

  // Ending.

  send(type: 'freeze' | 'resume'): void {
    if (!this.isOpen) return;
    this.state = type === 'freeze' ? 'frozen' : 'open';
    this.profile.forgive(this);
    this.page.send({ type });
  }

  close(): Promise<void> {
    if (this.isOpen) this.state = 'closing';
    this.#stopStatus?.();
    const closed = this.db.close();
    this.world.promise(
      `close of ${this.name}`,
      closed,
      () => {
        if (this.state !== 'closed') this.fail('close resolved before closed was emitted');
      },
      () => {
        this.fail('close failed');
      },
    );
    return closed;
  }
}
