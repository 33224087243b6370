// Goal: after the server was restored to a backup from before a shared realm, a member's window shows the realm's rows,
// read only, also after a reload; when an owner's window connects, both have everything again, and go on. Method: two users
// in two profiles of a real Chromium, and a real server on a copy of its folder.
import { cpSync, rmSync } from 'node:fs';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { caughtUp, inStep, opened, reopened } from './support/kit.ts';
import { TestServer } from './support/server.ts';
import { buildSite, type Site } from './support/site.ts';
import { until } from './support/until.ts';

const profiles = [new Profile(), new Profile()] as const;
let site: Site;
let server: TestServer;
let proxy: FaultProxy;
let backup: string;
const data = () => `${backup}-in-use`;
const start = () => TestServer.start({ files: site.files, schema: site.schema, data: data() });

beforeAll(async () => {
  site = await buildSite();
  const first = await TestServer.start({ files: site.files, schema: site.schema });
  backup = `${first.data}-backup`;
  await first.kill();
  cpSync(first.data, backup, { recursive: true });
  rmSync(first.data, { recursive: true, force: true });
  cpSync(backup, data(), { recursive: true });
  server = await start();
  proxy = await FaultProxy.start(server.url);
});
afterAll(async () => {
  for (const profile of profiles) await profile.remove();
  await server?.stop();
  await proxy?.close();
  site?.remove();
  for (const path of [backup, data()]) if (backup) rmSync(path, { recursive: true, force: true });
});

async function restore(): Promise<void> {
  await server.stop();
  rmSync(data(), { recursive: true });
  cpSync(backup, data(), { recursive: true });
  server = await start();
  proxy.retarget(server.url);
}

const isLost = (page: Page, realms: readonly string[]) =>
  until(page, (list) => db.sync.status.lost.join() === list, [realms.join()], 60_000);
const shows = (page: Page, realm: string, titles: readonly string[]) =>
  until(
    page,
    (name, list) =>
      db.notes
        .where('realm', '=', name)
        .all()
        .map(({ title }) => title)
        .sort()
        .join() === list,
    [realm, titles.join()],
    60_000,
  );
const write = (page: Page, realm: string, title: string) =>
  page.evaluate(
    (name, text) => {
      try {
        db.transact((tx) => tx.notes.create({ title: text, realm: name }));
        return 'written';
      } catch (error) {
        return (error as { code?: string }).code;
      }
    },
    realm,
    title,
  );

test('a lost realm is read, founded again by its owner, and written by its members', async () => {
  const [anna, bo] = [
    await opened(profiles[0], proxy.url, { user: 'anna' }),
    await opened(profiles[1], proxy.url, { user: 'bo' }),
  ];
  for (const page of [anna, bo]) await inStep(page);
  const realm = await anna.evaluate(() => {
    const name = db.realms.create().result as unknown as string;
    db.realms.invite(name, 'bo', 'writer');
    db.transact((tx) => tx.notes.create({ title: 'of anna', realm: name }));
    return name;
  });
  await shows(bo, realm, ['of anna']);
  await anna.evaluate(() => db.sync.pause());
  expect(await write(bo, realm, 'of bo')).toBe('written');
  await caughtUp(bo);

  await restore();
  await bo.evaluate(() => db.sync.now());
  await isLost(bo, [realm]);
  await reopened(bo, { user: 'bo' });
  await isLost(bo, [realm]);
  await shows(bo, realm, ['of anna', 'of bo']);
  expect(await write(bo, realm, 'more')).toBe('read_only');

  await anna.evaluate(() => db.sync.resume());
  for (const page of [anna, bo]) {
    await page.evaluate(() => db.sync.now());
    await isLost(page, []);
    await caughtUp(page);
  }
  for (const page of [anna, bo]) await shows(page, realm, ['of anna', 'of bo']);
  expect(await write(bo, realm, 'more')).toBe('written');
  await shows(anna, realm, ['more', 'of anna', 'of bo']);
  expect(await anna.evaluate(() => db.conflicts.all().length)).toBe(0);
  expect(await bo.evaluate(() => db.conflicts.all().length)).toBe(0);
});
