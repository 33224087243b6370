// Calls and waits of tests on the demo's database inside a page, which is `globalThis.demo` there.
import type { Page } from 'puppeteer-core';
import type { Demo } from '../../../web-demo/src/database.ts';
import { until } from './until.ts';

declare global {
  // Set by the demo page (web-demo/src/main.ts).
  var demo: Demo;
}

const LIMIT_MS = 30_000;

/** Nothing pending in this window, and its last sync succeeded. */
export async function settled(page: Page, limitMs = 60_000): Promise<void> {
  await until(
    page,
    () => demo.sync.status.pending === 0 && demo.sync.status.revisions['public'] !== undefined,
    [],
    limitMs,
  );
}

/** The first fill is complete: as many cities as `count`. */
export async function filled(page: Page, count: number, limitMs = 90_000): Promise<void> {
  await until(page, (wanted) => demo.cities.count() === wanted, [count], limitMs);
}

/** Resolves when a city of this window has this name; the time that it took, in ms, on the page's own clock. */
export async function sees(
  page: Page,
  id: string,
  name: string,
  limitMs = LIMIT_MS,
): Promise<number> {
  return page.evaluate(
    (wantedId, wantedName, limit) =>
      new Promise<number>((resolve, reject) => {
        const start = performance.now();
        const timer = setTimeout(() => {
          stop();
          reject(
            new Error(
              `no city ${wantedId} named ${wantedName} within ${limit} ms; it is ${demo.cities.get(wantedId)?.name}`,
            ),
          );
        }, limit);
        const stop = demo.cities
          .where('id', '=', wantedId)
          .liveFirst()
          .subscribe((city) => {
            if (city?.name !== wantedName) return;
            clearTimeout(timer);
            // Not from within the first call: `stop` is not assigned yet when it comes synchronously.
            queueMicrotask(() => stop());
            resolve(performance.now() - start);
          });
      }),
    id,
    name,
    limitMs,
  );
}

/**
 * Of each table how many rows this window sees, and a SHA-256 of all their values: equal texts are equal rows. The rows
 * themselves, some 20 MB, take half a minute to come out of a busy browser.
 */
export async function everything(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const { cities, people, groups, memberships } = demo;
    const lines: string[] = [];
    for (const [name, table] of Object.entries({ cities, people, groups, memberships })) {
      const rows = table.orderBy('id').all();
      const bytes = new TextEncoder().encode(JSON.stringify(rows));
      const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
      lines.push(`${name}: ${rows.length} rows, ${hex}`);
    }
    return lines.join('\n');
  });
}

export const newCity = (name: string) => ({ name, country: 'SE', population: 0, lat: 0, lon: 0 });
