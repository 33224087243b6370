// Windows with an inspector, for its tests: its script (page/inspecting.ts), and what they wait for in its feed.
import type { Page } from 'puppeteer-core';
import { inStep } from './kit.ts';
import type { TwoDevices } from './two-devices.ts';
import { until } from './until.ts';

const SLOW = 60_000;

export type Mode = 'lease' | 'service-worker';

/** A window of this test's device, in step, with the script of the inspector in it. */
export async function windowOf(devices: TwoDevices, mode: Mode): Promise<Page> {
  const opening = await devices.open(mode === 'service-worker');
  await until(opening, (wanted) => db.sync.status.mode === wanted, [mode], SLOW);
  await inStep(opening);
  await opening.addScriptTag({ url: '/inspecting.js', type: 'module' });
  await until(opening, () => globalThis.inspectHere !== undefined, []);
  return opening;
}

/** The feed, once this holds of it. */
export async function feed(
  of: Page,
  holds: (view: Feed, arg: string) => boolean,
  arg = '',
): Promise<Feed> {
  await of.evaluate((source) => {
    Object.assign(globalThis, { holds: new Function(`return (${source})`)() });
  }, String(holds));
  await until(
    of,
    async (wanted) =>
      (globalThis as unknown as { holds: typeof holds }).holds(await readFeed(), wanted),
    [arg],
    SLOW,
  );
  return of.evaluate(() => inspector.view);
}
export type Feed = Awaited<ReturnType<typeof readFeed>>;
export const stepsOf = (view: Feed, id: string) =>
  view.actions.find((action) => action.id === id)?.steps.map(({ is }) => is);
export const isOver = (view: Feed, id: string) =>
  ['confirmed', 'refused'].includes(
    view.actions.find((action) => action.id === id)?.steps.at(-1)?.is ?? '',
  );

/** Makes a note without waiting for it: `kit.made`. Resolves with the id of its action. */
export const addNote = (of: Page, title: string) =>
  of.evaluate((text) => {
    kit.made = db.mutate.addNote({ title: text });
    return kit.made.id;
  }, title);
