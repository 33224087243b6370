// Goal: a device that was away until the server's log was forgotten has older rows of a large realm; they are replaced by an
// image: what others deleted is gone, what they changed is shown, and its own changes made meanwhile are applied, or told in the
// inbox. Also if its rights changed meanwhile, and after a reload. Method: Chromium, and a server that keeps its log for a second.
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { invite, remove, setRole } from '../server/support/memberships.ts';
import { type Json, uuid7, WireClient } from '../server/support/server.ts';
import { Profile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { caughtUp, opened, reopened } from './support/kit.ts';
import { TestServer } from './support/server.ts';
import { buildSite, type Site } from './support/site.ts';
import { until } from './support/until.ts';

/** Images are offered above 2,000 rows. */
const ROWS = 2500;
const LIMIT_MS = 20_000;
const SNAPSHOT = /\/v1\/snapshot\//;

const profile = new Profile();
let site: Site;
let server: TestServer;
let proxy: FaultProxy;
beforeAll(async () => {
  site = await buildSite();
  const more = ['--retention', '1'];
  server = await TestServer.start({ files: site.files, schema: site.schema, more });
  proxy = await FaultProxy.start(server.url);
});
afterEach(() => proxy.setOffline(false));
afterAll(async () => {
  await profile.remove();
  await proxy?.close();
  await server?.stop();
  site?.remove();
});

class Realm {
  readonly name = uuid7();
  readonly #owner = new WireClient(server.url, 'owner');
  #revision = 0;

  async push(...ops: Json[]): Promise<void> {
    const { body } = await this.#owner.send([this.#owner.update(ops)], { schema: 2 });
    expect((body.results as Json[])[0]).toMatchObject({ status: 'applied' });
    this.#revision++;
  }

  note(op: string, id: string, set?: Json): Json {
    return { op, table: 'notes', id, realm: this.name, ...(set ? { set } : {}) };
  }

  /** Resolves once the log is forgotten up to its last entry. */
  async forgotten(): Promise<void> {
    this.#owner.scopes = [{ table: 'notes' }];
    const floor = async () => {
      const { status, body } = await this.#owner.pull({ schema: 2, floors: true, cursors: {} });
      if (status !== 200) throw new Error(JSON.stringify(body));
      return ((body.floors as Json)[this.name] as { revision: number } | undefined)?.revision ?? 0;
    };
    await expect.poll(floor, { timeout: LIMIT_MS }).toBeGreaterThanOrEqual(this.#revision - 1);
  }
}

/** What the window shows of the realm: titles by id. */
const shown = (page: Page, realm: string): Promise<Record<string, string>> =>
  page.evaluate(
    (of) =>
      Object.fromEntries(
        db.notes
          .where('realm', '=', of)
          .all()
          .map(({ id, title }) => [id, title]),
      ),
    realm,
  );

const nothing = async () => {};
const cases: [string, (realm: Realm, user: string) => Promise<void>][] = [
  ['nothing else', nothing],
  ['another role', (realm, user) => realm.push(setRole(realm.name, user, 'owner'))],
  [
    'a removal and another invitation',
    async (realm, user) => {
      await realm.push(remove(realm.name, user));
      await realm.push(invite(realm.name, user, 'writer'));
    },
  ],
];

test.each(
  cases.flatMap(([name, act]) =>
    [false, true].map((serviceWorker) => ({ name, act, serviceWorker })),
  ),
)('older rows, and $name (service worker: $serviceWorker)', async ({ act, serviceWorker }) => {
  const realm = new Realm();
  const user = `away-${realm.name}`;
  const ids = Array.from({ length: ROWS }, () => uuid7());
  const [edited, gone, both, ...others] = ids as [string, string, string];
  await realm.push(invite(realm.name, 'owner', 'owner'));
  await realm.push(...ids.map((id) => realm.note('create', id, { title: 'old' })));
  await realm.push(invite(realm.name, user, 'writer'));
  const options = { user, serviceWorker };
  const page = await opened(profile, proxy.url, options, { serviceWorker });
  await until(page, (of, count) => db.notes.where('realm', '=', of).count() === count, [
    realm.name,
    ROWS,
  ]);
  proxy.setOffline(true);
  const made = await page.evaluate(
    async (of, change, remove_, lost) => {
      const { result, durable } = db.transact((tx) => {
        tx.notes.update(change, { title: 'mine' });
        tx.notes.delete(remove_);
        return tx.notes.create({ title: 'made', realm: of });
      });
      await durable;
      await db.mutate.editNote({ id: lost, patch: { title: 'in vain' } }).durable;
      return result;
    },
    realm.name,
    edited,
    gone,
    both,
  );
  const [deleted, changed] = [others.slice(0, 300), others.slice(300, 600)];
  const added = Array.from({ length: 300 }, () => uuid7());
  await realm.push(
    ...[both, ...deleted].map((id) => realm.note('delete', id)),
    ...changed.map((id) => realm.note('update', id, { title: 'new' })),
    ...added.map((id) => realm.note('create', id, { title: 'added' })),
  );
  await act(realm, user);
  // The last entry, which the log may keep.
  const last = uuid7();
  await realm.push(realm.note('create', last, { title: 'last' }));
  await realm.forgotten();
  const wanted = Object.fromEntries([
    [edited, 'mine'],
    [made, 'made'],
    ...changed.map((id) => [id, 'new']),
    ...others.slice(600).map((id) => [id, 'old']),
    ...added.map((id) => [id, 'added']),
    [last, 'last'],
  ]);
  const from = proxy.seen.length;
  proxy.setOffline(false);
  const check = async () => {
    await until(page, () => db.sync.status.pending === 0, [], LIMIT_MS);
    await caughtUp(page);
    await expect.poll(() => shown(page, realm.name), { timeout: LIMIT_MS }).toEqual(wanted);
    expect(
      await page.evaluate(() =>
        db.conflicts.all().map(({ key, reason, code }) => [key, reason, code]),
      ),
    ).toEqual([[both, 'rejected', 'outcome_unknown']]);
  };
  await check();
  expect(proxy.seen.slice(from).filter(({ path }) => SNAPSHOT.test(path))).toHaveLength(1);
  await reopened(page, options);
  await check();
  await page.close();
});
