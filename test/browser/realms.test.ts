// Goal: a realm is founded, shared, and taken away again, as its members see it: at once and offline by who does it, within
// a moment by the others. Method: three users in three profiles, one of them without a network at first.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { inStep, opened, reopened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { until } from './support/until.ts';

const profiles = [new Profile(), new Profile(), new Profile()] as const;
let served: Served;
let proxy: FaultProxy;
let anna: Page;
let bo: Page;
let cy: Page;

beforeAll(async () => {
  served = await serveSite();
  proxy = await FaultProxy.start(served.server.url);
  anna = await opened(profiles[0], proxy.url, { user: 'anna' });
  bo = await opened(profiles[1], served.server.url, { user: 'bo' });
  cy = await opened(profiles[2], served.server.url, { user: 'cy' });
  for (const page of [anna, bo, cy]) await inStep(page);
});
afterAll(async () => {
  for (const profile of profiles) await profile.remove();
  await proxy?.close();
  await served?.stop();
});

const roleOf = (page: Page, realm: string) => page.evaluate((name) => db.realms.role(name), realm);
const becomes = (page: Page, realm: string, role: string | null) =>
  until(page, (name, wanted) => db.realms.role(name) === wanted, [realm, role], 20_000);
const titles = (page: Page, realm: string) =>
  page.evaluate(
    (name) =>
      db.notes
        .where('realm', '=', name)
        .all()
        .map(({ title }) => title)
        .sort(),
    realm,
  );
const shows = (page: Page, realm: string, wanted: readonly string[]) =>
  until(
    page,
    (name, list) =>
      db.notes
        .where('realm', '=', name)
        .all()
        .map(({ title }) => title)
        .sort()
        .join() === list,
    [realm, wanted.join()],
    20_000,
  );

test('a realm is founded offline, shared, read, written, and taken away at once', async () => {
  proxy.rules({ path: /\/v1\//, fault: 'refuse' });
  const realm = await anna.evaluate(async () => {
    const { result } = db.realms.create();
    db.transact((tx) => tx.notes.create({ title: 'first', realm: result }));
    await db.realms.invite(result, 'bo', 'writer').durable;
    return result;
  });
  expect(await titles(anna, realm)).toEqual(['first']);
  expect(await roleOf(bo, realm)).toBeNull();
  proxy.rules();
  await anna.evaluate(() => kit.outcome(() => db.sync.now()));
  // The invited window hears of it by itself.
  await becomes(bo, realm, 'writer');
  await shows(bo, realm, ['first']);
  await bo.evaluate(
    (name) => db.transact((tx) => tx.notes.create({ title: 'second', realm: name })).confirmed,
    realm,
  );
  await shows(anna, realm, ['first', 'second']);
  expect(await roleOf(cy, realm)).toBeNull();
  expect(await titles(cy, realm)).toEqual([]);

  await anna.evaluate((name) => db.realms.setRole(name, 'bo', 'reader').confirmed, realm);
  await becomes(bo, realm, 'reader');
  const refused = await bo.evaluate((name) => {
    try {
      db.transact((tx) => tx.notes.create({ title: 'third', realm: name }));
      return 'written';
    } catch (error) {
      return (error as Error).name;
    }
  }, realm);
  expect(refused).toBe('ReadOnlyError');

  await anna.evaluate((name) => db.realms.remove(name, 'bo').confirmed, realm);
  await becomes(bo, realm, null);
  await shows(bo, realm, []);
  // Nor is it in storage.
  await reopened(bo, { user: 'bo' });
  await inStep(bo);
  expect(await titles(bo, realm)).toEqual([]);
  expect(await roleOf(bo, realm)).toBeNull();

  // Granted again, all comes again.
  await anna.evaluate((name) => db.realms.invite(name, 'bo', 'reader').confirmed, realm);
  await becomes(bo, realm, 'reader');
  await shows(bo, realm, ['first', 'second']);
});

test('a change that waits when its realm is taken away goes to the inbox', async () => {
  const realm = await anna.evaluate(async () => {
    const { result } = db.realms.create();
    db.transact((tx) => tx.notes.create({ title: 'ours', realm: result }));
    await db.realms.invite(result, 'cy', 'writer').confirmed;
    return result;
  });
  await becomes(cy, realm, 'writer');
  await shows(cy, realm, ['ours']);
  await cy.evaluate(async (name) => {
    db.sync.pause();
    await db.transact((tx) => tx.notes.create({ title: 'late', realm: name })).durable;
  }, realm);
  await anna.evaluate((name) => db.realms.remove(name, 'cy').confirmed, realm);
  await cy.evaluate(() => db.sync.resume());
  await until(
    cy,
    () => db.conflicts.all().length === 1 && db.sync.status.pending === 0,
    [],
    20_000,
  );
  const [conflict] = await cy.evaluate(() =>
    db.conflicts
      .all()
      .map(({ reason, table, mine }) => ({ reason, table, title: mine?.['title'] })),
  );
  expect(conflict).toMatchObject({ table: 'notes', title: 'late' });
  expect(['revoked', 'rejected']).toContain(conflict?.reason);
  await shows(cy, realm, []);
});
