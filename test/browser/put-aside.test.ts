// Goal: changes that an application makes in the last events of a page that goes into bfcache are stored.
import type { Page } from 'puppeteer-core';
import { expect, test } from 'vitest';
import { bare, inStep, opened } from './support/kit.ts';
import { Stage } from './support/served.ts';
import { until } from './support/until.ts';

const stage = new Stage();

/** As applications do that save when their page is hidden, in each of the events in which they may. */
const savesWhenLeft = (page: Page, user: string) =>
  page.evaluate((prefix) => {
    const save = (when: string) => () => void db.mutate.addNote({ title: `${prefix}: ${when}` });
    addEventListener('pagehide', save('as it was left'), { capture: true });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState !== 'hidden') return;
      save('when it was hidden')();
      save('when it was hidden, too')();
    });
    document.addEventListener('freeze', save('as it was frozen'));
    // Its commit is under way when the page is left.
    addEventListener('beforeunload', save('before it was left'));
  }, user);

/** In the order in which they are made. */
const inOrder = [
  'before it was left',
  'as it was left',
  'when it was hidden',
  'when it was hidden, too',
  'as it was frozen',
];
const saved = [...inOrder].sort();

/** Which of them the window shows; another user's, of the same realm, are none of them. */
const shown = (page: Page, user: string) =>
  page.evaluate(
    (prefix) =>
      db.notes
        .where('title', 'like', `${prefix}: %`)
        .all()
        .map(({ title }) => title.slice(prefix.length + 2))
        .sort(),
    user,
  );

/** The records of the store `mutations`, read without the package. */
const storedMutations = (page: Page, database: string) =>
  page.evaluate(async (name) => {
    const request = indexedDB.open(name);
    await new Promise((resolve) => {
      request.onsuccess = resolve;
    });
    const count = request.result.transaction('mutations').objectStore('mutations').count();
    await new Promise((resolve) => {
      count.onsuccess = resolve;
    });
    request.result.close();
    return count.result;
  }, database);

test.each([
  ['with a remote', 'saver', false],
  ['without a remote', 'local-saver', true],
])(
  '%s, stores the changes of a page’s last events, and shows them when it is back',
  async (_, user, local) => {
    const options = { user, local };
    const left = await opened(stage.profile, stage.url, options);
    if (!local) await inStep(left);
    const other = await opened(stage.profile, stage.url, options);
    await savesWhenLeft(left, user);
    await left.goto('about:blank');
    await left.goBack({ waitUntil: 'domcontentloaded' });
    const kept = await left.evaluate(() => 'db' in globalThis);
    console.log(`${user}: the page came back ${kept ? 'as it was' : 'from the start'}`);
    if (!kept) await left.evaluate((how) => kit.start(how), options);
    // `pending` only falls to zero when the kept changes are found again, and committed or pushed once.
    await left.evaluate(() => db.mutate.addNote({ title: 'back' }).confirmed);
    await until(left, () => db.sync.status.pending === 0, []);
    const there = await shown(left, user);
    // Chromium drops a page, and the write under way, if another window has to wait for its transaction.
    const least = kept ? saved.length : 1;
    expect(there.length).toBeGreaterThanOrEqual(least);
    expect(there).toEqual(inOrder.slice(0, there.length).sort());
    await expect.poll(() => shown(other, user)).toEqual(there);
    await expect.poll(() => storedMutations(other, `skerry/test/${user}`)).toBe(0);
    for (const page of [left, other]) await page.close();
  },
);

test('keeps a page in bfcache that stored changes as it was left, and knows them', async () => {
  const other = await bare(stage.profile, stage.url);
  // A page that another one's read has to wait for is dropped. Then this is tried again.
  for (let attempt = 1; ; ++attempt) {
    const user = `kept${attempt}`;
    const left = await opened(stage.profile, stage.url, { user });
    await inStep(left);
    await savesWhenLeft(left, user);
    await left.goto('about:blank');
    // They are stored although the page does nothing any more, and not only when it is back. Under
    // load the event `freeze` may be late. A page that was dropped may have stored fewer.
    const least = saved.length - 1;
    let whileAway = 0;
    const isStored = async () => {
      whileAway = await storedMutations(other, `skerry/test/${user}`);
      return whileAway >= least;
    };
    for (const end = Date.now() + 3_000; !(await isStored()) && Date.now() < end; );
    await left.goBack({ waitUntil: 'domcontentloaded' });
    const kept = await left.evaluate(() => 'db' in globalThis);
    if (kept) {
      expect(whileAway).toBeGreaterThanOrEqual(least);
      await until(left, () => db.sync.status.pending === 0, []);
      expect(await shown(left, user)).toEqual(saved);
    }
    await left.close();
    if (kept) break;
    expect(attempt).toBeLessThan(5);
  }
  await other.close();
});

// The changes that have reached the browser's process by then; never a later one without those before it.
test('keeps a prefix of the last changes of a page that is dropped at once', async () => {
  const user = 'dropped';
  const left = await opened(stage.profile, stage.url, { user, local: true });
  await savesWhenLeft(left, user);
  await left.goto('about:blank');
  await left.close();
  const later = await opened(stage.profile, stage.url, { user, local: true });
  const there = await shown(later, user);
  expect(there.length).toBeGreaterThanOrEqual(1);
  expect(there).toEqual(inOrder.slice(0, there.length).sort());
  await later.close();
});

test('does not block deleting the database with a page in bfcache that just stored', async () => {
  const user = 'deleted';
  const left = await opened(stage.profile, stage.url, { user, local: true });
  await savesWhenLeft(left, user);
  const other = await bare(stage.profile, stage.url);
  await left.goto('about:blank');
  await other.evaluate(async (name) => {
    const request = indexedDB.deleteDatabase(name);
    await new Promise((resolve, reject) => {
      request.onsuccess = resolve;
      request.onblocked = () => reject(new Error('blocked'));
    });
  }, `skerry/test/${user}`);
  for (const page of [left, other]) await page.close();
});
