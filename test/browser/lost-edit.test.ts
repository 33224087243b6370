// Goal: who edits a row that another has deleted meanwhile finds the edit in the inbox, in every window and after a reload
// (docs/design.md, "Refusals"). Method: the test page in both modes, behind a proxy that refuses requests for a while.
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
    db.conflicts.all().map(({ key, reason, code, mine, theirs }) => ({
      ...{ key, reason, code, theirs },
      body: mine?.['body'],
    })),
  );

describe.each([
  ['lease', {}],
  ['service-worker', { serviceWorker: true }],
] as const)('in the mode %s', (mode, how) => {
  test('an edit of a row that was deleted meanwhile is in the inbox', async () => {
    const me = stage.another();
    const mine = await opened(me, proxy.url, { user: `me-${mode}`, ...how });
    const second = await opened(me, proxy.url, { user: `me-${mode}`, ...how });
    const theirs = await opened(stage.another(), stage.url, { user: `them-${mode}` });
    expect(await mine.evaluate(() => db.sync.status.mode)).toBe(mode);
    const note = await theirs.evaluate(async () => {
      const made = db.mutate.addNote({ title: 'of both' });
      await made.confirmed;
      return made.result;
    });
    await caughtUp(mine);
    proxy.rules({ path: /\/v1\//, fault: 'refuse' });
    await mine.evaluate(async (id) => {
      await db.mutate.editNote({ id, patch: { body: 'three hours of work' } }).durable;
    }, note);
    await theirs.evaluate((id) => db.mutate.deleteNote({ id }).confirmed, note);
    proxy.rules();
    await mine.evaluate(() => kit.outcome(() => db.sync.now()));
    for (const page of [mine, second]) {
      await until(page, () => db.conflicts.all().length > 0, [], 60_000);
      await inStep(page);
      expect(await page.evaluate((id) => db.notes.get(id) ?? null, note)).toBeNull();
    }
    const entry = {
      ...{ key: note, reason: 'row_deleted', code: 'row_deleted', theirs: null },
      body: 'three hours of work',
    };
    expect(await inbox(mine)).toEqual([entry]);
    expect(await inbox(second)).toEqual([entry]);
    await reopened(mine, { user: `me-${mode}`, ...how });
    expect(await inbox(mine)).toEqual([entry]);
    await mine.evaluate(async () => {
      for (const { id } of db.conflicts.all()) await db.conflicts.resolve(id, 'discard');
    });
    await until(second, () => db.conflicts.all().length === 0, []);
  });
});
