// Goal: a release that renames a table and props works over what the release before has stored, in one step or not at all:
// a browser that is killed at any moment of it loses nothing, for either release, and windows of both write at the same
// time. Method: each engine, with a server of the newer release.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSite, type Site } from '../browser/support/site.ts';
import { rowsOnServer } from '../browser/support/table.ts';
import { engines, modesByDay, until } from './support/checks.ts';
import { Scene } from './support/scene.ts';

const kRenamed = { schema: 'renamed' } as const;

let site: Site;
let scene: Scene;

beforeAll(async () => {
  site = await buildSite();
});
afterAll(() => site?.remove());

interface Entry {
  readonly id: string;
  readonly title: string;
  readonly rank: number;
}

async function entriesOnServer(): Promise<Entry[]> {
  const rows = await rowsOnServer<{ title: string; position: number }>(scene.serverUrl, 'entries');
  return rows.map(({ id, props }) => ({ id, title: props.title, rank: props.position }));
}

/** How many of the titles are among the rows, and what the counter has. */
function counted(rows: readonly Entry[], counter: string) {
  const titles = rows.filter(({ title }) => title.startsWith(`${counter} `));
  return { titles: titles.length, count: rows.find(({ id }) => id === counter)?.rank };
}

describe.each(engines)('$name', (engine) => {
  beforeAll(async () => {
    scene = await Scene.start(engine, site, site.renamedSchema);
  });
  afterAll(() => scene?.stop());

  test.each(modesByDay(engine))('%s: keeps all when it is killed in the middle', async (mode) => {
    await scene.begin(mode);
    const old = await scene.open();
    const counter = await old.call('counter');
    const titles = Array.from({ length: 30 }, (_, i) => `offline ${i}`);
    scene.proxy.rules({ path: /\/v1\//, fault: 'refuse' });
    await old.call('burst', counter, titles);
    await scene.kill();
    // Each time a little later: once the page has begun to open the database, and goes on; at last it writes.
    let made = titles.length;
    for (const answers of [1, 3, Number.POSITIVE_INFINITY]) {
      const window = await scene.open({ name: 'another' });
      const starting = scene.start(window, kRenamed).catch(() => null);
      for (let i = 0; i < Math.min(answers, 3); i++) await window.call('locks');
      if (answers > 3) await starting;
      await scene.kill();
      await starting;
    }
    const next = await scene.open(kRenamed);
    const all = { titles: made, count: made };
    expect(counted(await next.call('entries'), counter)).toEqual(all);
    await next.call('raise', counter, ['of the next']);
    made++;
    await scene.kill();
    // The release is rolled back, still without the network.
    const back = await scene.open();
    expect(counted(await back.call('notes'), counter)).toEqual({ titles: made, count: made });
    await scene.close(back);
    const again = await scene.open(kRenamed);
    expect(counted(await again.call('entries'), counter)).toEqual({ titles: made, count: made });
    scene.proxy.rules();
    await until(again, ({ pending }) => pending === 0);
    expect(counted(await entriesOnServer(), counter)).toEqual({ titles: made, count: made });
    expect((await again.call('happened')).dataLost).toEqual([]);
  });

  test('clients of both releases write the same rows at once', async () => {
    await scene.begin('lease');
    const old = await scene.open();
    const counter = await old.call('counter');
    const guest = await scene.beside(engine);
    try {
      await guest.begin('lease');
      const next = await guest.open(kRenamed);
      await expect.poll(async () => counted(await next.call('entries'), counter).count).toBe(0);
      const titles = (of: string) => Array.from({ length: 10 }, (_, i) => `${of} ${i}`);
      await Promise.all([
        old.call('burst', counter, titles('old')),
        next.call('raise', counter, titles('next')),
      ]);
      for (const window of [old, next]) await until(window, ({ pending }) => pending === 0);
      const all = { titles: 20, count: 20 };
      await expect.poll(async () => counted(await old.call('notes'), counter)).toEqual(all);
      await expect.poll(async () => counted(await next.call('entries'), counter)).toEqual(all);
      expect(counted(await entriesOnServer(), counter)).toEqual(all);
    } finally {
      await guest.stop();
    }
  });
});
