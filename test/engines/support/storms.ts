// The same storm in Chromium, Firefox and WebKit, with a service worker and with the lease (docs/design.md, "The lease"): one
// pushes, whatever ends in the middle of it, and nothing is lost or doubled. Each engine has a file of its own
// (test/engines/storm-*.test.ts), so that they run side by side.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { buildSite, type Site } from '../../browser/support/site.ts';
import { byNight, rounds } from '../../support/rounds.ts';
import { agree, exact, modesByDay, say, until } from './checks.ts';
import type { Engine } from './engine.ts';
import { Scene } from './scene.ts';
import { type Blow, Storm } from './storm.ts';

/** Of a window. */
const EACH = rounds(200, 60);
const HEALTHY_EACH = rounds(100, 20);
/** Another order of the blows: SKERRY_STORM_SEED. */
const SEED = Number(process.env['SKERRY_STORM_SEED'] ?? 1);

/** The tests of one engine, in a file of its own. */
export function storms(engine: Engine): void {
  let site: Site;
  let scene: Scene | undefined;

  beforeAll(async () => {
    site = await buildSite();
  });
  afterEach(async () => {
    await scene?.stop();
    scene = undefined;
  });
  afterAll(() => site?.remove());

  for (const mode of modesByDay(engine)) {
    describe(`${engine.name}, ${mode}`, () => {
      // One of the runs waits as the production does.
      const production = engine.name === 'chromium' && mode === 'lease';

      test('survives ends of windows, network and browser while five windows write', async () => {
        scene = await Scene.start(engine, site);
        await scene.begin(mode, { production });
        const storm = new Storm(scene, EACH, SEED);
        await storm.begin();
        const blows: Blow[] = ['crash', 'crash', 'close', 'close', 'kill', 'kill'];
        blows.push('cut-before', 'cut-before', 'cut-after', 'cut-after');
        if (!production) blows.push('stall');
        if (mode === 'service-worker' && engine.features.has('stop-service-worker'))
          blows.push('stop-service-worker', 'stop-service-worker');
        await storm.run(blows);
        await agree(scene);
        await exact(scene, storm);
        // A window that came after a kill may have begun before the service worker was found.
        for (const window of storm.windows)
          await until(window, (status) => status.mode === mode, 10_000);
        const counts = `${storm.attempted} inc in ${storm.opened} windows, ${blows.length} blows`;
        const found = `${storm.acknowledged.length} acknowledged, none lost, none doubled`;
        say(engine, mode, `${counts}, ${found}`);
      });

      // By day in one mode of each engine.
      const byDay = modesByDay(engine).at(-1);
      test.runIf(byNight || mode === byDay)('overlaps no two jobs in a healthy run', async () => {
        scene = await Scene.start(engine, site);
        await scene.begin(mode);
        const storm = new Storm(scene, HEALTHY_EACH, SEED);
        await storm.begin();
        await storm.run([]);
        await agree(scene);
        await exact(scene, storm);
        expect(storm.acknowledged.length).toBe(storm.attempted);
        const log = await scene.log();
        const epochs = log.map(({ epoch }) => epoch);
        expect(epochs.every((epoch) => typeof epoch === 'number')).toBe(true);
        // Two jobs that overlapped would take turns in the log.
        expect(epochs).toEqual([...epochs].sort((a, b) => Number(a) - Number(b)));
        expect(log.reduce((sum, { actions }) => sum + actions, 0)).toBe(storm.attempted + 1);
        say(engine, mode, `${log.length} entries by ${new Set(epochs).size} jobs, one at a time`);
      });
    });
  }
}
