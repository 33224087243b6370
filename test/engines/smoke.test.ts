import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildSite, type Site } from '../browser/support/site.ts';
import { chromium } from './support/chromium.ts';
import { firefox } from './support/firefox.ts';
import { Scene } from './support/scene.ts';
import { webkit } from './support/webkit.ts';
let site: Site;
beforeAll(async () => { site = await buildSite(); });
afterAll(() => site.remove());
for (const engine of [chromium, firefox, webkit])
  for (const mode of ['lease', 'service-worker'] as const)
    test(`${engine.name} ${mode}`, async () => {
      const scene = await Scene.start(engine, mode, site);
      try {
        const t0 = performance.now();
        const a = await scene.open();
        console.log('open', performance.now() - t0);
        const b = await scene.open();
        const counter = await a.call('counter');
        await b.call('burst', counter, ['x', 'y']).catch(e => console.log(e));
        await b.call('now');
        console.log(JSON.stringify(await b.call('status')));
        console.log(await a.call('visible'), await b.call('visible'));
        await scene.crash(a);
        console.log('crashed', [...scene.windows.keys()]);
        await scene.kill();
        const t1 = performance.now();
        const c = await scene.open();
        console.log('reopen', performance.now() - t1);
        await c.call('now');
        console.log(await c.call('total', counter), await c.call('titles'));
        expect(await c.call('total', counter)).toBe(2);
        console.log(await scene.log());
      } finally { await scene.stop(); }
    });
