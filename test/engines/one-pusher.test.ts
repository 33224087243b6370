// Goal: one worker pushes at a time; another takes over when it has ended, and the windows push when a service worker
// does not work. Method: Chromium, Firefox and WebKit.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSite, type Site } from '../browser/support/site.ts';
import { byNight } from '../support/rounds.ts';
import { agree, engines, exact, modes, say, until } from './support/checks.ts';
import type { RemoteWindow } from './support/hub.ts';
import { type Mode, Scene, shortTimes } from './support/scene.ts';

const PUSH = /\/v1\/push/;
const DAY_MS = 86_400_000;
/** Longer than the timeout after which a worker counts as dead. */
const SLEEP_MS = shortTimes.timeout * 2.5;

let site: Site;
let scene: Scene;

beforeAll(async () => {
  site = await buildSite();
});
afterAll(() => site?.remove());

interface Held {
  readonly windows: RemoteWindow[];
  readonly counter: string;
  letGo(): void;
}

/** So many windows in step, and a push of the first one's change that has reached the network and waits there. */
async function heldPush(count: number, mode: Mode = 'lease'): Promise<Held> {
  const windows: RemoteWindow[] = [];
  for (let i = 0; i < count; i++) windows.push(await scene.open());
  // A service worker that takes its time is waited for by a window that pushes meanwhile.
  for (const window of windows) await until(window, (status) => status.mode === mode, 30_000);
  const counter = await (windows[0] as RemoteWindow).call('counter');
  for (const window of windows) await window.call('sees', counter);
  let letGo = () => {};
  const hold = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  scene.proxy.rules({ path: PUSH, hold, times: 1 });
  const arrived = scene.proxy.held(PUSH);
  await windows[0]?.call('burst', counter, ['held']);
  await arrived;
  return { windows, counter, letGo };
}

async function holderOf(windows: readonly RemoteWindow[]): Promise<RemoteWindow> {
  let found: RemoteWindow[] = [];
  await expect
    .poll(async () => {
      const status = await Promise.all(windows.map((window) => window.status()));
      found = windows.filter((_, i) => status[i]?.role === 'holder');
      return found.length;
    })
    .toBe(1);
  return found[0] as RemoteWindow;
}

/** A schema in storage by its version. */
const shortened = (schema: number | object) =>
  typeof schema === 'object' ? { version: (schema as { version: number }).version } : schema;

const wrote = (counter: string, ...titles: string[]) => ({
  counter,
  acknowledged: titles,
  attempted: titles.length,
});

describe.each(engines)('$name', (engine) => {
  beforeAll(async () => {
    scene = await Scene.start(engine, site);
  });
  afterAll(() => scene?.stop());

  describe('lease', () => {
    for (const end of ['crash', 'close'] as const)
      test(`pushes in another window when the holder's ends during a push (${end})`, async () => {
        // The production's pauses: that it is not the timeout which ends the wait is seen.
        await scene.begin('lease', { production: true });
        const { windows, counter, letGo } = await heldPush(3);
        const holder = await holderOf(windows);
        const pushed = scene.proxy.next(PUSH);
        const gone = holder.gone.then(() => performance.now());
        await scene[end](holder);
        // Its process may have run other windows, too; a user opens one again.
        const opened = scene.windows.size === 0;
        if (opened) await scene.open();
        await pushed;
        const ms = performance.now() - (await gone);
        say(engine, 'lease', `holder gone (${end}): another had pushed ${Math.round(ms)} ms later`);
        if (!opened) expect(ms).toBeLessThan(4000);
        letGo();
        await agree(scene);
        await exact(scene, wrote(counter, 'held'));
      });

    test.each([
      ['ahead', DAY_MS],
      ['behind', -DAY_MS],
    ])('pushes all with a clock a day %s, and knows the server’s times', async (_, ms) => {
      await scene.begin('lease');
      const windows = [];
      for (let i = 0; i < 2; i++) windows.push(await scene.open({ clockShiftMs: ms }));
      const [first, second] = windows as [RemoteWindow, RemoteWindow];
      const counter = await first.call('counter');
      await second.call('sees', counter);
      for (const i of [0, 1, 2]) {
        await first.call('burst', counter, [`first ${i}`]);
        await second.call('burst', counter, [`second ${i}`]);
      }
      await agree(scene);
      const titles = [0, 1, 2].flatMap((i) => [`first ${i}`, `second ${i}`]);
      await exact(scene, wrote(counter, ...titles));
      const { clockOffsetMs } = await first.status();
      expect(Math.abs(clockOffsetMs + ms)).toBeLessThan(DAY_MS / 24);
    });

    test.skipIf(!engine.features.has('freeze'))(
      '[freeze] pushes in another window after the timeout when the holder is frozen',
      async () => {
        await scene.begin('lease', { production: true });
        const { windows, counter, letGo } = await heldPush(3);
        const holder = await holderOf(windows);
        const pushed = scene.proxy.next(PUSH);
        const thaw = await scene.freeze(holder);
        const from = performance.now();
        await pushed;
        const ms = performance.now() - from;
        say(engine, 'lease', `holder frozen: another had pushed ${Math.round(ms)} ms later`);
        expect(ms).toBeLessThan(12_000);
        letGo();
        await thaw();
        await agree(scene);
        await exact(scene, wrote(counter, 'held'));
      },
    );
  });

  describe('windows that nobody sees', () => {
    test.skipIf(!engine.features.has('hide'))(
      '[hide] leaves it to visible ones, and pushes once they are visible',
      async () => {
        await scene.begin('lease');
        const hidden = await scene.open();
        const counter = await hidden.call('counter');
        const running = await scene.running();
        await running.hide?.(hidden.id);
        await until(hidden, ({ role }) => role === 'hidden');
        const pushes = () => scene.proxy.seen.filter(({ path }) => PUSH.test(path)).length;
        const before = pushes();
        const alone = Array.from({ length: 10 }, (_, i) => `alone ${i}`);
        for (const title of alone) await hidden.call('burst', counter, [title]);
        expect(pushes()).toBe(before);
        expect(await hidden.status()).toMatchObject({ role: 'hidden', pending: alone.length });
        await running.show?.(hidden.id);
        await until(hidden, ({ pending }) => pending === 0);
        await running.hide?.(hidden.id);
        await until(hidden, ({ role }) => role === 'hidden');
        const seen = await scene.open();
        await until(seen, ({ role }) => role === 'holder');
        await hidden.call('burst', counter, ['beside another']);
        await until(hidden, ({ pending }) => pending === 0);
        expect((await hidden.status()).role).toBe('hidden');
        await running.show?.(hidden.id);
        await agree(scene);
        await exact(scene, wrote(counter, ...alone, 'beside another'));
      },
    );
  });

  describe('service-worker', () => {
    test.skipIf(!engine.features.has('stop-service-worker'))(
      '[stop-service-worker] continues a push after it was stopped in the middle',
      async () => {
        await scene.begin('service-worker');
        const { windows, counter, letGo } = await heldPush(2, 'service-worker');
        const pushed = scene.proxy.next(PUSH);
        await (await scene.running()).stopServiceWorker?.();
        await windows[1]?.call('burst', counter, ['after']);
        await pushed;
        letGo();
        await agree(scene);
        await exact(scene, wrote(counter, 'held', 'after'));
        expect((await windows[0]?.status())?.mode).toBe('service-worker');
      },
    );

    test('pushes what its last window wrote during a push, once that is closed', async () => {
      await scene.begin('service-worker');
      const { windows, counter, letGo } = await heldPush(1, 'service-worker');
      await windows[0]?.call('burst', counter, ['last']);
      await scene.close(windows[0] as RemoteWindow);
      letGo();
      const titles = async () => (await scene.notes()).map(({ title }) => title);
      await expect.poll(titles, { timeout: 30_000 }).toContain(`${counter} last`);
      await scene.open();
      await agree(scene);
      await exact(scene, wrote(counter, 'held', 'last'));
    });

    test("pushes in an application's own script, which is a module", async () => {
      await scene.begin('service-worker');
      const window = await scene.open({ serviceWorker: '/own-sw.js' });
      const counter = await window.call('counter');
      await until(window, ({ mode }) => mode === 'service-worker');
      await window.call('burst', counter, ['by a module']);
      await agree(scene);
      await exact(scene, wrote(counter, 'by a module'));
      const { mode, role } = await window.status();
      expect({ mode, role }).toEqual({ mode: 'service-worker', role: 'none' });
    });

    const without: [what: string, script: string, reason: RegExp][] = [
      ['cannot be had', '/nothing-here.js', /^the service worker was refused: /],
      ['never answers', '/silent-sw.js', /^the service worker does not answer$/],
      ['cannot start', '/no-wasm-sw.js', /could not be fetched/],
    ];
    // To wait for one that never answers takes long: by day in one engine.
    const all = byNight || engine.name === 'chromium';
    for (const [what, script, reason] of without.filter(
      ([what]) => all || what !== 'never answers',
    ))
      test(`pushes in the windows, with the reason, when a service worker ${what}`, async () => {
        await scene.begin('service-worker');
        const window = await scene.open({ serviceWorker: script });
        const counter = await window.call('counter');
        await window.call('burst', counter, ['without']);
        const { mode } = await until(window, ({ modeReason }) => reason.test(modeReason), 60_000);
        expect(mode).toBe('lease');
        await agree(scene);
        await exact(scene, wrote(counter, 'without'));
      });
  });

  for (const mode of modes) {
    describe(mode, () => {
      test('continues a push after the machine slept in the middle of it', async () => {
        await scene.begin(mode);
        const { windows, counter, letGo } = await heldPush(2, mode);
        const [first, second] = windows;
        if (!first || !second) throw new Error('no windows');
        const running = await scene.running();
        await running.signal('SIGSTOP');
        // Not a wait for something: this is how long it sleeps.
        await new Promise((resolve) => setTimeout(resolve, SLEEP_MS));
        await running.signal('SIGCONT');
        letGo();
        await second.call('burst', counter, ['awake']);
        await agree(scene);
        await exact(scene, wrote(counter, 'held', 'awake'));
        const { mode: after, modeReason } = await first.status();
        expect(after, modeReason).toBe(mode);
      });

      test('syncs windows of two versions of the application side by side', async () => {
        await scene.begin(mode);
        const older = await scene.open();
        const counter = await older.call('counter');
        const newer = await scene.open({ schema: 'newer' });
        await newer.call('sees', counter);
        for (let i = 0; i < 5; i++) {
          await older.call('burst', counter, [`older ${i}`]);
          await newer.call('burst', counter, [`newer ${i}`]);
        }
        await agree(scene);
        const titles = [0, 1, 2, 3, 4].flatMap((i) => [`older ${i}`, `newer ${i}`]);
        await exact(scene, wrote(counter, ...titles));
        // The newer version's schema number stays.
        const records = (await older.call('stored', 'sync')) as { schema?: number | object }[];
        for (const { schema } of records)
          if (schema !== undefined) expect([3, { version: 3 }]).toContainEqual(shortened(schema));
      });

      test('leaves records of a newer package version as they are, and reports them', async () => {
        await scene.begin(mode);
        const window = await scene.open();
        const counter = await window.call('counter');
        const record = { v: 2, id: 'of a later version', what: 'nobody here knows' };
        await window.call('store', 'mutations', record);
        const second = await scene.open();
        await expect
          .poll(async () => (await second.call('happened')).updateNeeded)
          .toContain('newer-tab');
        expect(await second.call('stored', 'mutations')).toEqual([record]);
        await second.call('sees', counter);
      });
    });
  }

  describe('service-worker', () => {
    test('pushes in a private window, and reports its mode and the reason', async () => {
      await scene.begin('service-worker', { isPrivate: true });
      const window = await scene.open();
      const counter = await window.call('counter');
      await window.call('burst', counter, ['private']);
      await agree(scene);
      await exact(scene, wrote(counter, 'private'));
      const { mode, modeReason } = await window.status();
      say(engine, mode as Mode, `in a private window (${modeReason})`);
    });
  });
});
