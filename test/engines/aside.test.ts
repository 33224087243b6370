// Goal: a page that goes into bfcache and comes back has missed nothing. Method: Chromium, Firefox and WebKit.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSite, type Site } from '../browser/support/site.ts';
import { agree, engines, exact, modes, say, until } from './support/checks.ts';
import type { RemoteWindow } from './support/hub.ts';
import { Scene } from './support/scene.ts';

let site: Site;
let scene: Scene;

beforeAll(async () => {
  site = await buildSite();
});
afterAll(() => site?.remove());

const count = (window: RemoteWindow) => window.call('notes').then((notes) => notes.length);

describe.each(engines)('$name', (engine) => {
  /** Firefox reloads a page that has or awaits a Web Lock. With a server, every page does (the socket's lock). */
  const keeps = engine.features.has('bfcache-with-locks');

  beforeAll(async () => {
    scene = await Scene.start(engine, site);
  });
  afterAll(() => scene?.stop());

  test.each(modes)('%s: a page in bfcache has missed nothing when it comes back', async (mode) => {
    await scene.begin(mode);
    const other = await scene.open();
    const left = await scene.open();
    const counter = await other.call('counter');
    await left.call('sees', counter);
    await left.call('caughtUp');
    await scene.leave(left);
    await other.call('burst', counter, ['meanwhile 1', 'meanwhile 2']);
    await other.call('caughtUp');
    const { window, kept } = await scene.goBack(left);
    say(engine, mode, `the page came back ${kept ? 'as it was' : 'as a new page'}`);
    expect(kept).toBe(keeps);
    await window.call('burst', counter, ['back']);
    await agree(scene);
    const acknowledged = ['meanwhile 1', 'meanwhile 2', 'back'];
    await exact(scene, { counter, acknowledged, attempted: 3 });
  });

  test('local: a page in bfcache has missed nothing when it comes back', async () => {
    await scene.begin('local');
    const other = await scene.open();
    const left = await scene.open();
    const counter = await other.call('counter');
    await left.call('sees', counter);
    // Its worker checks whether there is anything to compact.
    await expect.poll(() => left.call('locks')).toBe(0);
    await scene.leave(left);
    await other.call('burst', counter, ['meanwhile']);
    const { window, kept } = await scene.goBack(left);
    say(engine, 'local', `the page came back ${kept ? 'as it was' : 'as a new page'}`);
    // Firefox keeps it, but for one time in a few.
    if (keeps) expect(kept).toBe(true);
    await window.call('burst', counter, ['back']);
    for (const each of [other, window]) {
      await expect.poll(() => each.call('total', counter)).toBe(2);
      expect(await count(each)).toBe(3);
    }
  });

  for (const [unsynced, reason] of [
    ['keep', 'logout'],
    ['discard', 'deleted-or-upgraded'],
  ] as const)
    test.skipIf(!keeps)(
      `[bfcache-with-locks] closes a page in bfcache after a log-out (${unsynced})`,
      async () => {
        await scene.begin('lease');
        const other = await scene.open();
        const left = await scene.open();
        const counter = await other.call('counter');
        await left.call('sees', counter);
        // Left in the middle of a transaction, its connection would stay open (WebKit), and the log-out be refused.
        await until(left, ({ lease, phase }) => lease?.owner === null && phase === 'idle');
        await scene.leave(left);
        await other.call('logout', unsynced);
        const { window, kept } = await scene.goBack(left);
        expect(kept).toBe(true);
        await expect.poll(async () => (await window.call('happened')).closed).toEqual([reason]);
      },
    );
});
