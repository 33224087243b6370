// Goal: windows handle storage that is full or lost, as each engine reports it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSite, type Site } from '../browser/support/site.ts';
import { agree, engines, exact, say, until } from './support/checks.ts';
import { Scene } from './support/scene.ts';

const LARGE = 250_000;
const MOST = 400;

let site: Site;
let scene: Scene;

beforeAll(async () => {
  site = await buildSite();
});
afterAll(() => site?.remove());

describe.each(engines)('$name', (engine) => {
  beforeAll(async () => {
    scene = await Scene.start(engine, site);
  });
  afterAll(() => scene?.stop());

  test.skipIf(!engine.features.has('lose-storage'))(
    '[lose-storage] continues after the databases’ process died, or after a reload',
    async () => {
      await scene.begin('lease', { production: true });
      const windows = [await scene.open(), await scene.open()];
      const [first, second] = windows as [(typeof windows)[0], (typeof windows)[0]];
      const counter = await first.call('counter');
      await second.call('sees', counter);
      await first.call('burst', counter, ['before']);
      await expect.poll(() => second.call('total', counter)).toBe(1);
      const [writer, other] = await scene.loseStorage();
      const told = await writer?.call('tried', counter, ['after']);
      say(engine, 'lease', `the databases' process was killed: ${told}`);
      // Durable, or reported: never silent.
      if (told !== 'durable') {
        expect(told).toMatch(/^storage/);
        expect((await writer?.status())?.error).toMatchObject({ retryable: true });
      }
      // The shown rows are in memory, and stay.
      expect(await other?.call('total', counter)).toBe(1);
      for (const window of [...scene.windows.values()]) await scene.close(window);
      await scene.open();
      await agree(scene);
      const titles = told === 'durable' ? ['before', 'after'] : ['before'];
      await exact(scene, { counter, acknowledged: titles, attempted: 2 });
    },
  );

  test.skipIf(!engine.features.has('small-quota'))(
    '[small-quota] rejects in time what does not fit, and loses nothing else',
    async () => {
      await scene.begin('lease', { isSmall: true, production: true });
      const window = await scene.open();
      const counter = await window.call('counter');
      await until(window, ({ pending }) => pending === 0);
      scene.proxy.rules({ path: /\/v1\//, fault: 'refuse' });
      const kept: string[] = [];
      let refused: object | null = null;
      for (let i = 0; i < MOST && refused === null; i++) {
        const { outcome, shown } = await window.call('large', `large ${i}`, LARGE);
        if (outcome.ok) kept.push(`large ${i}`);
        else refused = { outcome, shown };
      }
      expect(refused).toMatchObject({
        outcome: { name: 'QuotaError', code: 'quota', typed: true },
        shown: false,
      });
      say(engine, 'lease', `full after ${kept.length} rows of ${LARGE} bytes`);
      expect((await window.call('happened')).storageFailed).toContain('quota');
      await scene.enlarge();
      scene.proxy.rules();
      const again = await scene.open();
      await again.call('sees', counter);
      await agree(scene);
      const titles = (await again.call('notes')).map(({ title }) => title);
      expect(titles.filter((title) => title.startsWith('large ')).sort()).toEqual([...kept].sort());
    },
  );
});
