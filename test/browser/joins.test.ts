// Goal: in a browser, rows of a scope with a sub-select come and go in every window when another user changes the row that
// they depend on, and those that went are not in storage either. Method: two windows of one profile, with a scope over the
// notes of lists of a name; another profile renames lists; a window that is loaded again without a token.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { inStep, opened, reopened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { until } from './support/until.ts';

const profiles = [new Profile(), new Profile()] as const;
const scoped = { user: 'reader', notesOf: 'wanted', keepToken: false };
let served: Served;
let writer: Page;
let readers: Page[];

beforeAll(async () => {
  served = await serveSite();
  writer = await opened(profiles[0], served.server.url, { user: 'writer' });
  await inStep(writer);
  readers = [
    await opened(profiles[1], served.server.url, scoped),
    await opened(profiles[1], served.server.url, scoped),
  ];
});
afterAll(async () => {
  for (const profile of profiles) await profile.remove();
  await served?.stop();
});

const makeList = (name: string, notes: number) =>
  writer.evaluate(
    async (called, count) => {
      const { result, confirmed } = db.transact((tx) => {
        const list = tx.lists.create({ name: called });
        tx.notes.createMany(
          Array.from({ length: count }, (_, i) => ({ title: `note ${i}`, list })),
        );
        return list;
      });
      await confirmed;
      return result;
    },
    name,
    notes,
  );
const rename = (id: string, name: string) =>
  writer.evaluate(
    (list, called) => db.mutate.editList({ id: list, patch: { name: called } }).confirmed,
    id,
    name,
  );

/** In both windows, by live queries: the lists and the notes. */
async function shown(lists: number, notes: number): Promise<void> {
  for (const page of readers) {
    await until(
      page,
      (some, many) => db.lists.count() === some && db.notes.count() === many,
      [lists, notes],
      60_000,
    );
  }
}

test('notes come and go with the name of their list, in both windows and in storage', async () => {
  const first = await makeList('wanted', 30);
  const second = await makeList('other', 40);
  await shown(1, 30);
  await rename(second, 'wanted');
  await shown(2, 70);
  await rename(first, 'gone');
  await shown(1, 40);
  // A live query of the window hears of it, too.
  const [reader] = readers as [Page];
  await reader.evaluate(() => {
    const counts: number[] = [];
    Object.assign(globalThis, { counts });
    db.notes
      .where((b) => b.related('list', (l) => l.where('name', '=', 'wanted')))
      .liveCount()
      .subscribe((count) => counts.push(count));
  });
  await rename(second, 'gone');
  await shown(0, 0);
  await until(
    reader,
    () => (globalThis as unknown as { counts: number[] }).counts.at(-1) === 0,
    [],
  );
  await rename(first, 'wanted');
  await shown(1, 30);
  await rename(first, 'gone again');
  await shown(0, 0);
  // Without a token nothing comes from the server: this is what is stored.
  await readers[1]?.close();
  await reopened(reader, { ...scoped, tokens: ['fails'] });
  expect(await reader.evaluate(() => [db.lists.count(), db.notes.count()])).toEqual([0, 0]);
});
