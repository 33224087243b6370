// Checks at the end of each scene.
import { expect } from 'vitest';
import { patience } from '../../support/patience.ts';
import { byNight } from '../../support/rounds.ts';
import { chromium } from './chromium.ts';
import type { Engine } from './engine.ts';
import { firefox } from './firefox.ts';
import type { RemoteWindow } from './hub.ts';
import type { Mode, Scene } from './scene.ts';
import { webkit } from './webkit.ts';

export const engines: readonly Engine[] = [chromium, firefox, webkit];
export const modes: readonly Mode[] = ['lease', 'service-worker'];
/** By day in both modes in one engine, and in one in each of the others. */
export function modesByDay({ name }: Engine): readonly Mode[] {
  if (byNight || name === 'chromium') return modes;
  return [name === 'firefox' ? 'lease' : 'service-worker'];
}

const LIMIT_MS = 90_000;

type Status = Awaited<ReturnType<RemoteWindow['status']>>;

/** Resolves with the status when `holds` is true of it. */
export async function until(
  window: RemoteWindow,
  holds: (status: Status) => boolean,
  limitMs = LIMIT_MS,
): Promise<Status> {
  const end = performance.now() + patience(limitMs);
  for (;;) {
    const status = await window.status();
    if (holds(status)) return status;
    if (performance.now() > end)
      throw new Error(`${holds}: not within ${limitMs} ms; ${JSON.stringify(status)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Nothing is pending in any window, and all windows show the server's rows. */
export async function agree(scene: Scene): Promise<void> {
  const windows = [...scene.windows.values()];
  for (const window of windows) await until(window, ({ pending }) => pending === 0);
  await Promise.all(windows.map((window) => window.call('now')));
  const notes = await scene.notes();
  for (const window of windows) expect(await window.call('notes')).toEqual(notes);
}

/** The changes of a scene's windows beside the counter: those that were durable, and how many were tried. */
export interface Written {
  readonly counter: string;
  readonly acknowledged: readonly string[];
  readonly attempted: number;
}

/** The counter counts its rows: no action was applied twice, or only in part. What was acknowledged is there. */
export async function exact(scene: Scene, written: Written): Promise<void> {
  const notes = await scene.notes();
  const counter = notes.find(({ id }) => id === written.counter);
  const prefix = `${written.counter} `;
  const titles = notes
    .filter(({ title }) => title.startsWith(prefix))
    .map(({ title }) => title.slice(prefix.length));
  expect(counter?.rank).toBe(titles.length);
  const there = new Set(titles);
  expect(there.size).toBe(titles.length);
  expect(written.acknowledged.filter((title) => !there.has(title))).toEqual([]);
  expect(titles.length).toBeLessThanOrEqual(written.attempted);
}

export function say(engine: Engine, mode: Mode, text: string): void {
  console.log(`${engine.name}, ${mode}: ${text}`);
}
