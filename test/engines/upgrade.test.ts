// Goal: two releases of the package share one database, of which the newer release has one version more: windows and
// service workers of the former release are closed, and a browser that ends in the middle of an upgrade loses nothing.
// Method: each engine.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addNextRelease } from '../browser/support/next-release.ts';
import { buildSite, type Site } from '../browser/support/site.ts';
import { agree, engines, exact, modes, until } from './support/checks.ts';
import type { RemoteWindow } from './support/hub.ts';
import { Scene } from './support/scene.ts';

let site: Site;
let scene: Scene;

beforeAll(async () => {
  site = await buildSite();
  await addNextRelease(site);
});
afterAll(() => site?.remove());

/** It was notified why, and lost nothing. */
async function madeWay(window: RemoteWindow): Promise<void> {
  await expect
    .poll(() => window.call('happened'))
    .toMatchObject({
      updateNeeded: ['newer-tab'],
      closed: ['deleted-or-upgraded'],
      dataLost: [],
      storageFailed: [],
    });
}

/**
 * A window of the next release, which is open. On a busy machine the former windows may take longer to close than the
 * package waits. Its error says so, and to try again.
 */
async function startedNext(): Promise<RemoteWindow> {
  for (let attempt = 1; ; attempt++) {
    const next = await scene.bareNext();
    try {
      await scene.start(next);
      return next;
    } catch (error) {
      if (attempt === 3 || !/Other windows keep the database/.test(String(error))) throw error;
      await scene.close(next);
    }
  }
}

describe.each(engines)('$name', (engine) => {
  beforeAll(async () => {
    scene = await Scene.start(engine, site);
  });
  afterAll(() => scene?.stop());

  test.each(modes)(
    '%s: closes windows of the former release, and keeps what was durable',
    async (mode) => {
      await scene.begin(mode);
      const [first, second] = [await scene.open(), await scene.open()];
      const counter = await first.call('counter');
      await second.call('sees', counter);
      scene.proxy.rules({ path: /\/v1\//, fault: 'refuse' });
      await first.call('burst', counter, ['first']);
      await second.call('burst', counter, ['second']);
      const next = await startedNext();
      for (const old of [first, second]) {
        await madeWay(old);
        await scene.close(old);
      }
      expect(await next.call('total', counter)).toBe(2);
      scene.proxy.rules();
      await next.call('burst', counter, ['of the next']);
      await agree(scene);
      const acknowledged = ['first', 'second', 'of the next'];
      await exact(scene, { counter, acknowledged, attempted: 3 });
      expect(await next.call('happened')).toMatchObject({ updateNeeded: [], closed: [] });
      // The release is rolled back: the former one does not open the database, and changes nothing. The newer one, which
      // writes meanwhile, still opens it afterwards.
      const titles = Array.from({ length: 20 }, (_, i) => `while the former one tries ${i}`);
      const writing = next.call('burst', counter, titles);
      await expect(scene.open()).rejects.toThrow(/newer version of this application/);
      await writing;
      await startedNext();
      expect(await next.call('happened')).toMatchObject({ updateNeeded: [], closed: [] });
      expect(await next.call('total', counter)).toBe(3 + titles.length);
    },
  );

  test('keeps all for either release when the browser ends in the middle of an upgrade', async () => {
    await scene.begin('lease');
    const old = await scene.open();
    const counter = await old.call('counter');
    scene.proxy.rules({ path: /\/v1\//, fault: 'refuse' });
    const titles = Array.from({ length: 50 }, (_, i) => `${i}`);
    for (const title of titles) await old.call('burst', counter, [title]);
    const next = await scene.bareNext();
    await next.call('slowUpgrade', 100);
    const starting = scene.start(next).catch(() => {});
    // It is alone now, with five seconds of work.
    await madeWay(old);
    await scene.kill();
    await starting;
    const again = await scene.open();
    expect(await again.call('total', counter)).toBe(titles.length);
    await scene.close(again);
    const late = await scene.bareNext();
    await scene.start(late);
    expect(await late.call('total', counter)).toBe(titles.length);
    scene.proxy.rules();
    await until(late, ({ pending }) => pending === 0);
    await exact(scene, { counter, acknowledged: titles, attempted: titles.length });
  });
});
