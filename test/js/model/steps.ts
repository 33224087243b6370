/** What may happen in the random test, each with its weight: calls of applications, events of pages, faults. */
import { turn } from '../support.ts';
import type { Subscriber } from './lives.ts';
import { countries, ModelWindow } from './window.ts';
import type { ModelWorld, Profile } from './world.ts';

const mostWindows = 3;

export interface Run {
  readonly world: ModelWorld;
  readonly windows: ModelWindow[];
  opened: number;
}

type Step = (run: Run, window: ModelWindow, profile: Profile) => unknown;

const closedOr =
  (window: ModelWindow, what: string, allowed: (error: { code?: string }) => boolean) =>
  (error: { name: string; code?: string; message: string }) => {
    if (error.code !== 'closed' && !allowed(error))
      window.fail(`${what} broke by ${error.name} ${error.code}: ${error.message}`);
  };

export function openWindow(run: Run, profile: Profile, signal?: AbortSignal): void {
  const { world } = run;
  if (run.windows.filter((window) => window.isOpen).length + run.opened >= mostWindows) return;
  run.opened++;
  const name = `${profile.user}${run.windows.length}.${run.opened}`;
  const { faulty } = profile;
  const disturbances = world.disturbances;
  world.promise(
    `open of ${name}`,
    ModelWindow.open(profile, name, signal ? { signal } : {}),
    (window) => {
      run.opened--;
      run.windows.push(window);
      if (signal?.aborted) window.fail('an aborted open has opened');
    },
    (error) => {
      run.opened--;
      const expected =
        signal?.aborted || faulty || profile.faulty || world.disturbances > disturbances;
      if (!expected) world.fail(`open of ${name} broke by ${error.name} ${error.code}`);
    },
  );
}

/** What a subscriber does besides looking: once, at a call for a change or at the first one. */
function reaction(run: Run, window: ModelWindow): (self: Subscriber) => void {
  const { random } = run.world;
  const act = random.weighted<(self: Subscriber) => void>([
    [4, () => {}],
    [1, (self) => self.stop()],
    [3, () => random.pick(window.subscribers).stop()],
    [2, () => window.subscribe()],
    [2, () => window.state === 'open' && window.transact('well')],
  ]);
  let isDone = false;
  return (self) => {
    if (isDone || random.chance(self.heard === 1 ? 0.8 : 0.3)) return;
    isDone = true;
    const { reacting } = window;
    window.reacting = true;
    act(self);
    window.reacting = reacting;
  };
}

function wantScope({ world }: Run, window: ModelWindow): void {
  const country = world.random.pick(countries);
  const scope = window.db.sync.scope(window.db.cities.where('country', '=', country));
  const wanted = { country, scope, ready: false };
  window.wanted.push(wanted);
  world.promise(
    `scope ${country} of ${window.name}`,
    scope.ready,
    () => {
      wanted.ready = true;
    },
    closedOr(window, 'scope.ready', () => !window.wanted.includes(wanted)),
  );
}

function dropScope({ world }: Run, window: ModelWindow): void {
  const wanted = world.random.pick(window.wanted);
  if (!wanted) return;
  window.wanted = window.wanted.filter((other) => other !== wanted);
  wanted.scope.unsubscribe();
  if (world.random.chance(0.3)) wanted.scope.unsubscribe();
}

function waitForSync({ world }: Run, window: ModelWindow): void {
  const { random, time, server } = world;
  const timeoutMs = random.chance(0.5) ? random.below(3000) : undefined;
  const stop = random.chance(0.3) ? new AbortController() : null;
  const before = window.made.filter(({ id }) => id !== '');
  const head = server?.head ?? 0;
  const options = {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(stop ? { signal: stop.signal } : {}),
  };
  const end = time.mono() + (timeoutMs ?? Number.POSITIVE_INFINITY);
  const promised = world.promise(
    `waitForSync of ${window.name}`,
    window.db.sync.waitForSync(options),
    async () => {
      await turn();
      if (window.state === 'closed') return;
      const behind = before.find(({ confirmed, failed }) => !confirmed && failed === null);
      if (behind) window.fail(`waitForSync resolved before ${behind.mark} was confirmed`);
      const revision = window.db.sync.status.revisions['public'] ?? 0;
      if (revision < head)
        window.fail(`waitForSync resolved at ${revision}, others were at ${head}`);
    },
    closedOr(window, 'waitForSync', ({ code }) =>
      code === 'timeout' ? time.mono() >= end : stop?.signal.aborted === true,
    ),
  );
  if (timeoutMs !== undefined) world.deadline(promised, end);
  if (!stop) return;
  world.later(random.below(500), () => {
    stop.abort(new Error('given up by the model'));
    world.deadline(promised, time.mono());
  });
}

function syncNow({ world }: Run, window: ModelWindow): void {
  const { calm } = window;
  const { disturbances } = world;
  const head = world.server?.head ?? 0;
  world.promise(
    `now of ${window.name}`,
    window.db.sync.now(),
    async () => {
      await turn();
      if (window.state === 'closed') return;
      const revision = window.db.sync.status.revisions['public'] ?? 0;
      if (revision < head) window.fail(`now() resolved at ${revision}, others were at ${head}`);
    },
    closedOr(window, 'now()', () => !calm || world.disturbances > disturbances),
  );
}

function resolveConflict({ world }: Run, window: ModelWindow): void {
  const { random } = world;
  const { conflicts } = window.db;
  const id = random.pick(conflicts.all())?.id ?? 999;
  const times = random.chance(0.3) ? 2 : 1;
  const calm = window.state === 'open' && !window.profile.faulty;
  const { disturbances } = world;
  let kept = 0;
  for (let i = 0; i < times; i++)
    world.promise(
      `resolve ${id} of ${window.name}`,
      conflicts.resolve(id, random.pick(['discard', 'retry'] as const)),
      () => {
        if (id === 999) window.fail('a conflict that is none was resolved');
        if (++kept > 1) window.fail(`conflict ${id} was resolved twice`);
      },
      // Another window, or the same call before it, may have been faster.
      closedOr(
        window,
        'resolve',
        ({ code }) => code === 'not_found' || !calm || world.disturbances > disturbances,
      ),
    );
}

/** A fault that stands until it is taken back. */
function fault(name: 'fail' | 'quota' | 'hold'): Step {
  return ({ world }, window, { host: { storage } }) => {
    world.disturbances++;
    const on = !storage.faults[name];
    if (name === 'hold' && !on) storage.release();
    else storage.faults[name] = on;
    if (on) window.transact('well');
  };
}

function disturb(act: Step): Step {
  return (run, window, profile) => {
    run.world.disturbances++;
    return act(run, window, profile);
  };
}

function workersFail(_run: Run, window: ModelWindow, profile: Profile): void {
  profile.workersFail = !profile.workersFail;
  // Windows that come back start theirs again.
  if (window.state !== 'open') return;
  window.send('freeze');
  window.send('resume');
}

export const steps: readonly (readonly [weight: number, name: string, step: Step])[] = [
  [14, 'transact', (_run, window) => window.transact('well')],
  [3, 'transact that throws', (_run, window) => window.transact('throw')],
  [3, 'transact that is refused', ({ world }, window) => world.server && window.transact('bad')],
  [8, 'subscribe', (run, window) => window.subscribe(reaction(run, window))],
  [4, 'unsubscribe', ({ world }, window) => world.random.pick(window.subscribers)?.stop()],
  [4, 'look', (_run, window) => window.look()],
  [1, 'listen to the status', (_run, window) => window.listenBefore()],
  [5, 'scope', wantScope],
  [5, 'drop a scope', dropScope],
  [3, 'waitForSync', waitForSync],
  [3, 'now', syncNow],
  [2, 'resolve', resolveConflict],
  [1, 'pause', disturb((_run, window) => window.pause(true))],
  [2, 'resume', (_run, window) => window.pause(false)],
  [3, 'freeze', disturb((_run, window) => window.send('freeze'))],
  [6, 'unfreeze', disturb((_run, window) => window.send('resume'))],
  [
    2,
    'freeze, return, freeze',
    disturb((_run, window) => {
      for (const type of ['freeze', 'resume', 'freeze'] as const) window.send(type);
    }),
  ],
  [
    2,
    'show',
    disturb((_run, window) => {
      for (const visible of [false, true]) window.page.send({ type: 'visibility', visible });
    }),
  ],
  [1, 'hide', disturb((_run, window) => window.page.send({ type: 'visibility', visible: false }))],
  [2, 'open', (run, _window, profile) => openWindow(run, profile)],
  [
    1,
    'open twice at once',
    (run, _window, profile) => {
      openWindow(run, profile);
      openWindow(run, profile);
    },
  ],
  [
    1,
    'open, given up',
    (run, _window, profile) => {
      const stop = new AbortController();
      openWindow(run, profile, stop.signal);
      queueMicrotask(() => stop.abort(new Error('given up by the model')));
    },
  ],
  [
    2,
    'close',
    (run, window) => {
      if (run.windows.filter(({ isOpen }) => isOpen).length > 1) void window.close();
    },
  ],
  [
    1,
    'close twice',
    (run, window) => {
      if (run.windows.filter(({ isOpen }) => isOpen).length < 2) return;
      void window.close();
      void window.close();
    },
  ],
  [2, 'storage fails', fault('fail')],
  [1, 'storage is full', fault('quota')],
  [2, 'storage stands still', fault('hold')],
  [
    3,
    'network',
    disturb((_run, _window, { host: { network } }) => {
      network.online = !network.online;
    }),
  ],
  [2, 'late answers', disturb(({ world }) => world.delayAnswers(world.random.chance(0.5)))],
  [2, 'workers fail', disturb(workersFail)],
  [
    3,
    'another client writes',
    ({ world }) => {
      const country = world.random.pick(countries);
      const set = { name: 'elsewhere', country, population: world.random.below(8) };
      world.server?.write([
        { op: 'create', table: 'cities', id: `w${world.random.below(6)}`, set },
      ]);
    },
  ],
  [2, 'heal', (_run, _window, profile) => profile.heal()],
];
