/** One run of the random test: steps by a seed, then everything heals, and all must come to rest. */
import { isDeepStrictEqual } from 'node:util';
import { vi } from 'vitest';
import { holds } from '../fake-server.ts';
import { turn } from '../support.ts';
import { show } from './lives.ts';
import { openWindow, type Run, steps } from './steps.ts';
import { ModelWindow } from './window.ts';
import { ModelWorld, type Profile } from './world.ts';

const stepsOfARun = 45;

export async function run(seed: number): Promise<{ problems: string[]; trace: string[] }> {
  const world = new ModelWorld(seed);
  const run: Run = { world, windows: [], opened: 0 };
  // Ids are by chance, too.
  const bytes = vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
    const view = array as unknown as Uint8Array;
    for (let i = 0; i < view.length; i++) view[i] = world.random.below(256);
    return array;
  });
  try {
    for (const profile of world.profiles) openWindow(run, profile);
    await world.rest(() => run.windows.length === world.profiles.length);
    for (let i = 0; i < stepsOfARun && world.problems.length === 0; i++) await oneStep(run);
    if (world.problems.length === 0) await heal(run);
    if (world.problems.length === 0) await end(run);
  } catch (error) {
    world.fail(`${(error as Error).stack}`);
  } finally {
    bytes.mockRestore();
    for (const profile of world.profiles) profile.heal();
    for (const window of run.windows) void window.db.close();
    await world.pass(12_000, 1000);
  }
  return { problems: world.problems, trace: world.trace };
}

async function oneStep(run: Run): Promise<void> {
  const { world } = run;
  const { random } = world;
  const open = run.windows.filter(({ isOpen }) => isOpen);
  if (open.length === 0) {
    openWindow(run, random.pick(world.profiles));
    await world.pass(100);
    return;
  }
  const window = random.pick(open);
  const [name, step] = random.weighted(steps.map(([weight, ...rest]) => [weight, rest] as const));
  world.say(`${window.name} (${window.state}): ${name}`);
  step(run, window, window.profile);
  await random.weighted<() => Promise<unknown>>([
    [5, async () => {}],
    [
      3,
      async () => {
        for (let i = random.below(12); i >= 0; i--) await null;
      },
    ],
    [3, turn],
    [3, () => world.pass(10 + random.below(100), 25)],
    [1, () => world.pass(1000)],
    // A worker that starts needs two of these steps, and has a minute.
    [1, () => world.pass(100_000, 20_000)],
  ])();
  if (!random.chance(0.5)) return;
  await turn();
  check(run);
}

/** What must hold at any time. */
function check({ windows, world }: Run): void {
  for (const window of windows) window.check();
  world.checkDeadlines();
}

async function heal(run: Run): Promise<void> {
  const { world, windows } = run;
  world.say('everything heals');
  world.delayAnswers(false);
  world.refuses = false;
  for (const profile of world.profiles) profile.heal();
  await world.rest(() => run.opened === 0);
  for (const window of windows) {
    if (!window.isOpen) continue;
    window.send('resume');
    window.page.send({ type: 'online', online: true });
    window.page.send({ type: 'visibility', visible: true });
    window.pause(false);
    window.transact('well');
  }
  const open = windows.filter(({ isOpen }) => isOpen);
  world.reference = open[0] ?? null;
  const atRest = ({ db: { sync } }: ModelWindow) =>
    sync.status.phase === 'idle' && sync.status.pending === 0 && sync.status.error === null;
  const same = () => open.every((window) => atRest(window) && shows(window) === null);
  if (!(await world.rest(same)))
    for (const window of open)
      window.fail(`no rest: ${show(window.db.sync.status)} ${shows(window) ?? ''}`);
  for (const window of open)
    world.promise(
      `last waitForSync of ${window.name}`,
      window.db.sync.waitForSync(),
      () => {},
      (error) => window.fail(`waitForSync broke when all was well: ${error.message}`),
    );
  await world.rest(() => world.unsettled.length === 0, 5_000);
  for (const what of world.unsettled) world.fail(`never settled: ${what}`);
  check(run);
}

/** What is wrong with what a window shows, or null. */
function shows({ db, world, profile, wanted, name }: ModelWindow): string | null {
  const mine = tablesOf(db);
  const { server } = world;
  const stored = profile.host.storage
    .dump(profile.database, 'sync')
    .find(({ key }) => key === 'sync');
  const scopes = (
    stored?.value as { scopes: { table: string; where: unknown[]; filled: unknown }[] }
  )?.scopes;
  if (!server) {
    // Without a server all windows of the profile show the same, and every change that was stored.
    const other = tablesOf(world.reference?.db ?? db);
    return isDeepStrictEqual(mine, other) ? null : `${show(mine)} is not ${show(other)}`;
  }
  for (const { country } of wanted) {
    const where = ['=', 'country', country];
    const held = scopes.find((scope) => isDeepStrictEqual(scope.where, where));
    if (held?.filled !== true) return `${name} has not what it wants of ${country}`;
  }
  const theirs = Object.fromEntries(
    Object.keys(mine).map((table) => [
      table,
      server
        .of(table)
        .filter((row) => scopes.some((scope) => holds(scope, row)))
        .map(({ id, modifiedAt, props }) => ({ id, modifiedAt, ...props }))
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    ]),
  );
  return isDeepStrictEqual(mine, theirs) ? null : `${show(mine)} is not ${show(theirs)}`;
}

function tablesOf(db: ModelWindow['db']): Record<string, object[]> {
  const sorted = <R extends { id: string }>(rows: readonly R[], plain: (row: R) => object) =>
    [...rows].sort((a, b) => (a.id < b.id ? -1 : 1)).map(plain);
  return {
    cities: sorted(db.cities.all(), ({ id, modifiedAt, name, country, population }) => ({
      ...{ id, modifiedAt: modifiedAt.getTime(), name, country, population },
    })),
    people: sorted(db.people.all(), ({ id, modifiedAt, name }) => ({
      ...{ id, modifiedAt: modifiedAt.getTime(), name },
    })),
  };
}

/** Everything is closed, nothing is left, and what is opened again is what there was. */
async function end(run: Run): Promise<void> {
  const { world, windows } = run;
  world.clear();
  const before = new Map<Profile, object>();
  for (const { profile, db, isOpen } of windows) if (isOpen) before.set(profile, tablesOf(db));
  for (const window of windows) if (window.isOpen) void window.close();
  await world.rest(() => windows.every(({ state }) => state === 'closed'), 20_000);
  for (const what of world.unsettled) world.fail(`not settled by close: ${what}`);
  for (const profile of world.profiles) {
    for (const { what } of profile.held) world.fail(`${what} is left`);
    if (profile.workers.size > 0) world.fail(`${profile.workers.size} workers run on`);
    const { connections } = profile.host.storage.find(profile.database) ?? {};
    if (connections && connections.size > 0) world.fail(`${connections.size} connections are left`);
  }
  if (world.time.pending().length > 0) world.fail(`timers are left: ${world.time.pending()}`);
  if (world.server && world.server.connections > 0) world.fail('a socket is left');
  for (const [profile, rows] of before) {
    const again = await ModelWindow.open(profile, `${profile.user} again`);
    if (!isDeepStrictEqual(tablesOf(again.db), rows))
      world.fail(`opened again: ${show(tablesOf(again.db))}, was ${show(rows)}`);
    checkMarks(run, again);
    const closing = again.close();
    await world.rest(() => again.state === 'closed');
    await closing;
  }
}

/** What was stored is there once, what was given up is not there. */
function checkMarks({ windows, world }: Run, again: ModelWindow): void {
  const names = again.db.people.all().map(({ name }) => name);
  for (const window of windows) {
    // Those of another user may not have been pushed yet.
    if (window.profile !== again.profile) continue;
    for (const { mark, id, durable, failed } of window.made) {
      if (id === '') continue;
      const times = names.filter((name) => name === mark).length;
      const isBad = failed === 'not_nice' || failed === 'depends';
      if (times > 1) world.fail(`${mark} is there ${times} times`);
      if (times === 0 && durable && !isBad && !window.bad.has(mark))
        world.fail(`${mark} was durable, and is lost`);
      if (times > 0 && failed === 'quota') world.fail(`${mark} was withdrawn, and is there`);
    }
  }
}
