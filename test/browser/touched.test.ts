// Goal: in a browser a row is as new as the rows whose refs touch it: its `modifiedAt` and live queries by it follow their
// creation, changes, moves to another row and deletion, in other windows, on other devices and after a reload, as on the server.
// Method: two windows of one profile and one of another; the server's own answer over HTTP.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { caughtUp, inStep, opened, reopened } from './support/kit.ts';
import { TestServer } from './support/server.ts';
import { buildSite, type Site } from './support/site.ts';

const profiles = [new Profile(), new Profile()] as const;
let site: Site;
let server: TestServer;
beforeAll(async () => {
  site = await buildSite();
  server = await TestServer.start({ files: site.files, schema: site.sharedSchema });
});
afterAll(async () => {
  for (const profile of profiles) await profile.remove();
  await server?.stop();
  site?.remove();
});

/** The page's `db` has the table that only this schema has. */
interface Tasks {
  create(row: { text: string; list: string }): string;
  update(id: string, patch: { text?: string; list?: string }): boolean;
  delete(id: string): boolean;
}
type Step = { readonly text?: string; readonly list?: string } | null;

/** Without an id: a new one; null: it is deleted. Resolves with its id once it is confirmed. */
const task = (page: Page, id: string | null, step: Step): Promise<string> =>
  page.evaluate(
    async (which, what) => {
      const { result, confirmed } = db.transact((tx) => {
        const { tasks } = tx as unknown as { tasks: Tasks };
        if (which === null) return tasks.create(what as { text: string; list: string });
        if (what === null) tasks.delete(which);
        else tasks.update(which, what);
        return which;
      });
      await confirmed;
      return result;
    },
    id,
    step,
  );

const onServer = async (user: string): Promise<[string, number][]> => {
  const answer = await fetch(`${server.url}/v1/tables/lists`, {
    headers: { authorization: `Bearer dev:${user}` },
  });
  const { rows } = (await answer.json()) as {
    rows: { props: { name: string }; modifiedAt: number }[];
  };
  const dates = rows.map(({ props, modifiedAt }): [string, number] => [props.name, modifiedAt]);
  return dates.filter(([name]) => name.endsWith(user)).sort(([, a], [, b]) => b - a);
};
/** What a live query by `modifiedAt` shows, the newest first. */
const shown = (page: Page, user: string): Promise<[string, number][]> =>
  page.evaluate(
    (end) =>
      db.lists
        .where('name', 'like', `% ${end}`)
        .orderBy('modifiedAt', 'desc')
        .all()
        .map(({ name, modifiedAt }): [string, number] => [name, modifiedAt.getTime()]),
    user,
  );

test.each([
  ['lease', false],
  ['service worker', true],
])('a list is as new as its newest task (%s)', async (_, serviceWorker) => {
  const user = `touches-${serviceWorker}`;
  const options = { user, schema: 'shared', serviceWorker } as const;
  const open = (profile: Profile) => opened(profile, server.url, options, { serviceWorker });
  const pages = [await open(profiles[0]), await open(profiles[0]), await open(profiles[1])];
  const [mine, beside, theirs] = pages as [Page, Page, Page];
  for (const page of pages) await inStep(page);
  const [first, second] = (await mine.evaluate(async (end) => {
    const ids = [];
    for (const name of ['first', 'second']) {
      const made = db.mutate.addList({ name: `${name} ${end}` });
      await made.confirmed;
      ids.push(made.result);
    }
    return ids;
  }, user)) as [string, string];
  /** Where all show the same, as the server does: the names, the newest first. */
  const order = async () => {
    const wanted = await onServer(user);
    for (const page of pages) {
      await caughtUp(page);
      await expect.poll(() => shown(page, user)).toEqual(wanted);
    }
    return wanted.map(([name]) => name.split(' ')[0]);
  };
  expect(await order()).toEqual(['second', 'first']);
  const one = await task(mine, null, { text: 'one', list: first });
  expect(await order(), 'created').toEqual(['first', 'second']);
  const two = await task(theirs, null, { text: 'two', list: second });
  expect(await order(), 'created by another device').toEqual(['second', 'first']);
  await task(beside, one, { text: 'changed' });
  expect(await order(), 'changed').toEqual(['first', 'second']);
  await task(theirs, two, null);
  expect(await order(), 'deleted').toEqual(['second', 'first']);
  await task(mine, one, { list: second });
  const [newest, older] = await onServer(user);
  expect(newest?.[1], 'moved: the old and the new one').toBe(older?.[1]);
  for (const page of pages) await reopened(page, options);
  expect(new Set(await order())).toEqual(new Set(['first', 'second']));
  for (const page of pages) await page.close();
});
