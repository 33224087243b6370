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

/** All rows of all tables that this window sees, as text in a stable order: equal texts are equal byte for byte. */
export async function everything(page: Page): Promise<string> {
  return page.evaluate(() => {
    const tables = {
      cities: demo.cities,
      people: demo.people,
      groups: demo.groups,
      memberships: demo.memberships,
    };
    return JSON.stringify(
      Object.entries(tables).map(([name, table]) => [name, table.orderBy('id').all()]),
    );
  });
}

export const newCity = (name: string) => ({ name, country: 'SE', population: 0, lat: 0, lon: 0 });
