// Goal: actions from elsewhere are replayed in real browsers as in Node: each counts once, on two devices, in two windows of one,
// and again after a restart. Method: real Chromium, two profiles, the real server.
import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { caughtUp, inStep, opened, reopened } from './support/kit.ts';
import { Stage } from './support/served.ts';

const stage = new Stage();
const other = new Profile();
afterAll(() => other.remove());

test.each([
  ['lease', false],
  ['service worker', true],
])('each replayed action counts once (%s)', async (mode, serviceWorker) => {
  const options = { user: `replays-${mode.length}`, serviceWorker };
  const actions = ['one', 'two'].map((title) => ({
    id: randomUUID(),
    name: 'addNote',
    arg: { title: `${mode}: ${title}` },
  }));
  const device = await opened(other, stage.url, options, { serviceWorker });
  const windows = [
    await opened(stage.profile, stage.url, options, { serviceWorker }),
    await opened(stage.profile, stage.url, options, { serviceWorker }),
  ];
  const pages = [...windows, device];
  for (const page of pages) await inStep(page);
  const replay = () =>
    Promise.all(pages.map((page) => page.evaluate((all) => void db.replay(all as never), actions)));
  const titles = () =>
    Promise.all(
      pages.map((page) =>
        page.evaluate(
          (start) =>
            db.notes
              .all()
              .map(({ title }) => title)
              .filter((title) => title.startsWith(start))
              .sort(),
          mode,
        ),
      ),
    );
  const expected = actions.map(({ arg }) => arg.title);
  await replay();
  for (const page of pages) await caughtUp(page);
  for (const page of pages) await caughtUp(page);
  for (const shown of await titles()) expect(shown).toEqual(expected);
  for (const page of pages) await reopened(page, options);
  await replay();
  for (const page of pages) await caughtUp(page);
  for (const page of pages) await caughtUp(page);
  for (const shown of await titles()) expect(shown).toEqual(expected);
  for (const page of pages) {
    expect(await page.evaluate(() => db.conflicts.all().length)).toBe(0);
    await page.close();
  }
});
