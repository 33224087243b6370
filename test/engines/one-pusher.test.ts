// The same scenes in Chromium, Firefox and WebKit, with a service worker and with the lease (DESIGN section 6): one
// pushes, whatever ends in the middle of it, and nothing is lost or doubled.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { buildSite, type Site } from '../browser/support/site.ts';
import { chromium } from './support/chromium.ts';
import type { Engine } from './support/engine.ts';
import { firefox } from './support/firefox.ts';
import type { RemoteWindow } from './support/hub.ts';
import { type Mode, Scene } from './support/scene.ts';
import { type Blow, Storm } from './support/storm.ts';
import { webkit } from './support/webkit.ts';

const EACH = 200;
const SEED = Number(process.env['SKERRY_STORM_SEED'] ?? 1);
const modes: readonly Mode[] = ['lease', 'service-worker'];

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

async function start(engine: Engine, mode: Mode, production = false): Promise<Scene> {
  scene = production
    ? await Scene.start(engine, mode, site, null)
    : await Scene.start(engine, mode, site);
  return scene;
}

/** Nothing is pending in any window, and all show the same, which is what the server has. */
async function agree(scene: Scene): Promise<void> {
  for (const window of scene.windows.values()) {
    await expect
      .poll(async () => (await window.call('status')).pending, { timeout: 90_000, interval: 50 })
      .toBe(0);
    await window.call('now');
  }
  const notes = await scene.notes();
  for (const window of scene.windows.values()) expect(await window.call('notes')).toEqual(notes);
}

/** The counter counts its rows: no action was applied twice, or only in part. What was acknowledged is there. */
async function exact(scene: Scene, storm: Storm): Promise<void> {
  const notes = await scene.notes();
  const counter = notes.find(({ id }) => id === storm.counter);
  const titles = notes.filter(({ id }) => id !== storm.counter).map(({ title }) => title);
  expect(counter?.rank).toBe(titles.length);
  expect(new Set(titles).size).toBe(titles.length);
  const there = new Set(titles);
  expect(storm.acknowledged.filter((title) => !there.has(title))).toEqual([]);
  expect(titles.length).toBeLessThanOrEqual(storm.attempted);
}

const say = (engine: Engine, mode: Mode, text: string) =>
  console.log(`${engine.name}, ${mode}: ${text}`);

for (const engine of [chromium, firefox, webkit]) {
  for (const mode of modes) {
    describe(`${engine.name}, ${mode}`, () => {
      const serves = mode === 'service-worker';
      // One of the runs waits as the production does.
      const production = engine === chromium && mode === 'lease';

      test('five windows make 200 inc each while windows, the network and the browser end', async () => {
        const scene = await start(engine, mode, production);
        const storm = new Storm(scene, EACH, SEED);
        const times = [performance.now()];
        await storm.begin();
        times.push(performance.now());
        const blows: Blow[] = ['crash', 'crash', 'close', 'close', 'kill', 'kill'];
        blows.push('cut-before', 'cut-before', 'cut-after', 'cut-after');
        if (!production) blows.push('stall');
        if (serves && engine.features.has('stop-service-worker'))
          blows.push('stop-service-worker', 'stop-service-worker');
        await storm.run(blows);
        times.push(performance.now());
        await agree(scene);
        times.push(performance.now());
        await exact(scene, storm);
        console.log(times.map((t, i) => (i ? Math.round(t - (times[i - 1] ?? 0)) : 0)));
        const { mode: now } = await (storm.windows[0] as RemoteWindow).call('status');
        expect(now).toBe(mode);
        say(
          engine,
          mode,
          `${storm.attempted} inc in ${storm.reopened + 5} windows, ${blows.length} blows, ` +
            `${storm.acknowledged.length} acknowledged, none lost, none doubled`,
        );
      });

      test('in a healthy run no two jobs overlap', async () => {
        const scene = await start(engine, mode);
        const storm = new Storm(scene, 100, SEED);
        await storm.begin();
        await storm.run([]);
        await agree(scene);
        await exact(scene, storm);
        const log = await scene.log();
        const epochs = log.map(({ epoch }) => epoch);
        expect(epochs.every((epoch) => typeof epoch === 'number')).toBe(true);
        // Two jobs that overlapped would take turns in the log.
        expect(epochs).toEqual([...epochs].sort((a, b) => Number(a) - Number(b)));
        expect(log.reduce((sum, { actions }) => sum + actions, 0)).toBe(storm.attempted + 1);
      });
    });
  }
}
