// Goal: whose change is overwritten by somebody who had not seen it finds it in the inbox, in every window and after a reload, and can
// make it again; who is overwritten knowingly does not (docs/design.md, "Overwritten changes"). Method: the test page in both modes, and
// another person behind a proxy that refuses requests for a while.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FaultProxy } from './support/fault-proxy.ts';
import { caughtUp, inStep, opened, reopened } from './support/kit.ts';
import { Stage } from './support/served.ts';
import { until } from './support/until.ts';

const stage = new Stage();
let proxy: FaultProxy;
beforeAll(async () => {
  proxy = await FaultProxy.start(stage.url);
});
afterAll(() => proxy?.close());

const inbox = (page: Page) =>
  page.evaluate(() =>
    db.conflicts.all().map(({ key, reason, base, mine, theirs }) => ({
      ...{ key, reason, mine },
      base: base?.['title'],
      theirs: theirs?.['title'] ?? null,
    })),
  );
const title = (page: Page, id: string) =>
  page.evaluate((key) => db.notes.get(key)?.title ?? null, id);
const shows = (page: Page, id: string, wanted: string) =>
  until(page, (key, text) => db.notes.get(key)?.title === text, [id, wanted]);
const edit = (page: Page, id: string, patch: { title?: string; body?: string }) =>
  page.evaluate((key, change) => db.mutate.editNote({ id: key, patch: change }).durable, id, patch);
const synced = (page: Page) => page.evaluate(() => kit.outcome(() => db.sync.now()));
const ok = { ok: true };

describe.each([
  ['lease', {}],
  ['service-worker', { serviceWorker: true }],
] as const)('in the mode %s', (mode, how) => {
  test('two edit one name offline: the first author is told, and sets it again', async () => {
    proxy.rules();
    const { url } = stage;
    const me = stage.another();
    const mine = await opened(me, url, { user: `me-${mode}`, ...how });
    const second = await opened(me, url, { user: `me-${mode}`, ...how });
    const theirs = await opened(stage.another(), proxy.url, { user: `them-${mode}`, ...how });
    expect(await mine.evaluate(() => db.sync.status.mode)).toBe(mode);
    const [note, gone] = await mine.evaluate(async () => {
      const made = [db.mutate.addNote({ title: 'first' }), db.mutate.addNote({ title: 'second' })];
      await Promise.all(made.map(({ confirmed }) => confirmed));
      return made.map(({ result }) => result) as [string, string];
    });
    await caughtUp(theirs);

    // Neither sees what the other does. Both props stay, of the title the later one does.
    proxy.rules({ path: /\/v1\//, fault: 'refuse' });
    await edit(theirs, note, { title: 'theirs' });
    await theirs.evaluate((id) => db.mutate.deleteNote({ id }).durable, gone);
    await edit(mine, note, { title: 'mine', body: 'also mine' });
    await edit(mine, gone, { title: 'of a note that goes' });
    expect(await synced(mine)).toEqual(ok);
    proxy.rules();
    expect(await synced(theirs)).toEqual(ok);
    const entries = [
      {
        key: note,
        reason: 'overwritten',
        base: 'first',
        mine: { title: 'mine' },
        theirs: 'theirs',
      },
      {
        ...{ key: gone, reason: 'overwritten', base: 'second', theirs: null },
        mine: { title: 'of a note that goes' },
      },
    ];
    for (const page of [mine, second]) {
      await until(page, () => db.conflicts.all().length === 2, [], 60_000);
      await inStep(page);
      expect(await inbox(page)).toEqual(expect.arrayContaining(entries));
      expect(await title(page, note)).toBe('theirs');
    }
    expect(await theirs.evaluate(() => db.conflicts.all().length)).toBe(0);
    await reopened(mine, { user: `me-${mode}`, ...how });
    expect(await inbox(mine)).toEqual(expect.arrayContaining(entries));

    await mine.evaluate(async (id) => {
      for (const entry of db.conflicts.all())
        await db.conflicts.resolve(entry.id, entry.key === id ? 'retry' : 'discard');
    }, note);
    await until(second, () => db.conflicts.all().length === 0, []);
    expect(await synced(mine)).toEqual(ok);
    await shows(theirs, note, 'mine');

    // They have seen it now: they overwrite it knowingly, and nobody is told.
    await edit(theirs, note, { title: 'theirs after all' });
    expect(await synced(theirs)).toEqual(ok);
    await shows(mine, note, 'theirs after all');
    await inStep(mine);
    for (const page of [mine, theirs])
      expect(await page.evaluate(() => db.conflicts.all().length)).toBe(0);
  });
});
