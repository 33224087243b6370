// Goal: windows that are frozen, stopped, discarded, copied or idle stay in sync, and so do windows with wrong clocks.
// Method: real Chromium, real server.
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freeze, Profile, stopWorkers, withProfile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { bare, caughtUp, inStep, opened, reopened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { rowsOnServer } from './support/table.ts';
import { until } from './support/until.ts';

const DAY_MS = 86_400_000;
/** The lease’s timeout (docs/sync-worker.md, section 1). */
const TIMEOUT_MS = 5000;

let served: Served;
let proxy: FaultProxy;

beforeAll(async () => {
  served = await serveSite();
  proxy = await FaultProxy.start(served.server.url);
});

afterEach(() => proxy.rules());

afterAll(async () => {
  await proxy?.close();
  await served?.stop();
});

/** The one window that says that it holds the lease. One that held it a moment ago may still say so. */
async function holderAmong(pages: readonly Page[], limitMs = 30_000): Promise<Page> {
  const holders = async () => {
    const roles = await Promise.all(pages.map((page) => page.evaluate(() => db.sync.status.role)));
    return pages.filter((_, i) => roles[i] === 'holder');
  };
  await expect.poll(async () => (await holders()).length, { timeout: limitMs }).toBe(1);
  const [holder] = await holders();
  if (!holder) throw new Error('the holder is gone');
  return holder;
}

/** A note that the server has, to be bumped. */
function counterOf(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const made = db.mutate.addNote({ title: 'counter' });
    await made.confirmed;
    return made.result;
  });
}

/** Bumps it; the push reaches the proxy, and waits there until the function is called that this gives. */
async function holdBump(page: Page, id: string): Promise<() => void> {
  let letGo: () => void = () => {};
  const hold = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  proxy.rules({ path: /\/v1\/push/, hold, times: 1 });
  const arrived = proxy.held(/\/v1\/push/);
  await page.evaluate((key) => db.mutate.bump({ id: key }).durable, id);
  await arrived;
  return letGo;
}

/** Three windows in step and a note; the push of one more `bump` waits in the proxy, so its sender holds the lease. */
async function heldPush(profile: Profile, user: string) {
  const pages: Page[] = [];
  for (let i = 0; i < 3; i++) pages.push(await opened(profile, proxy.url, { user }));
  const [first] = pages as [Page];
  const id = await counterOf(first);
  for (const page of pages) {
    await until(page, (key) => db.notes.get(key) !== undefined, [id]);
    await inStep(page);
  }
  const letGo = await holdBump(first, id);
  const holder = await holderAmong(pages);
  const others = pages.filter((page) => page !== holder);
  return { id, holder, others, letGo };
}

const rank = (page: Page, id: string) => page.evaluate((key) => db.notes.get(key)?.rank, id);

describe('the window that pushes', () => {
  test('is frozen in a push: another takes over, and nothing is doubled after a thaw', () =>
    withProfile(async (profile) => {
      const { id, holder, others, letGo } = await heldPush(profile, 'frozen');
      const pushed = proxy.next(/\/v1\/push/);
      const start = performance.now();
      const frozen = await freeze(holder);
      await pushed;
      const ms = performance.now() - start;
      console.log(`frozen holder: another window had pushed after ${Math.round(ms)} ms`);
      expect(ms).toBeLessThan(TIMEOUT_MS + 1000);
      // The frozen window's request, late: the server has seen its update already.
      letGo();
      await frozen.thaw();
      await until(holder, () => db.sync.status.pending === 0, []);
      for (const page of [holder, ...others]) {
        await caughtUp(page);
        expect(await rank(page, id)).toBe(1);
      }
      await holder.evaluate((key) => db.mutate.bump({ id: key }).confirmed, id);
      expect(await rank(holder, id)).toBe(2);
    }));

  test('is stopped without an event, with its lock: another takes over after a timeout', () =>
    withProfile(async (profile) => {
      const { id, holder, others, letGo } = await heldPush(profile, 'stopped');
      const stopped = await stopWorkers(holder);
      const start = performance.now();
      const pushed = proxy.next(/\/v1\/push/);
      await pushed;
      const ms = performance.now() - start;
      console.log(`stopped holder: another window had pushed after ${Math.round(ms)} ms`);
      // A waiter whose looks are far apart restarts its count.
      expect(ms).toBeLessThan(4 * TIMEOUT_MS);
      await stopped.goOn();
      letGo();
      for (const page of [holder, ...others]) {
        await inStep(page);
        await caughtUp(page);
        expect(await rank(page, id)).toBe(1);
      }
    }));

  test('navigates away: the lease is free at once, and the page works when it returns', () =>
    withProfile(async (profile) => {
      const { id, holder, others, letGo } = await heldPush(profile, 'left');
      const pushed = proxy.next(/\/v1\/push/);
      const start = performance.now();
      await holder.goto('about:blank');
      await pushed;
      const ms = performance.now() - start;
      console.log(`holder that left: another window had pushed after ${Math.round(ms)} ms`);
      expect(ms).toBeLessThan(TIMEOUT_MS);
      letGo();
      for (const page of others) {
        await inStep(page);
        expect(await rank(page, id)).toBe(1);
      }
      await holder.goBack({ waitUntil: 'domcontentloaded' });
      const kept = await holder.evaluate(() => 'db' in globalThis);
      console.log(`the window came ${kept ? 'back as it was (bfcache)' : 'back as a new page'}`);
      if (!kept) await holder.evaluate(() => kit.start({ user: 'left' }));
      await holder.evaluate((key) => db.mutate.bump({ id: key }).confirmed, id);
      expect(await rank(holder, id)).toBe(2);
    }));
});

describe('a frozen window', () => {
  test('catches up with the changes of the other windows', () =>
    withProfile(async (profile) => {
      const user = 'sleeper';
      const a = await opened(profile, proxy.url, { user });
      const b = await opened(profile, proxy.url, { user });
      await inStep(a);
      await inStep(b);
      const frozen = await freeze(b);
      const ids = await a.evaluate(async () => {
        const made = ['one', 'two', 'three'].map((title) => db.mutate.addNote({ title }));
        await Promise.all(made.map((m) => m.confirmed));
        const [first] = made;
        if (first) await db.mutate.deleteNote({ id: first.result }).confirmed;
        return made.map((m) => m.result);
      });
      await frozen.thaw();
      const ms = await until(
        b,
        (keys) =>
          JSON.stringify(keys.map((key) => db.notes.get(key)?.title ?? null)) ===
          '[null,"two","three"]',
        [ids],
      );
      console.log(`the window that slept was in step ${Math.round(ms)} ms after it woke`);
      await caughtUp(b);
      expect(await b.evaluate(() => kit.everything())).toBe(
        await a.evaluate(() => kit.everything()),
      );
    }));
});

/** Once `deaf` is set, a window's writes are stored, but it gets no completion. `stored` counts them. */
const deafness = `{
  globalThis.stored = 0;
  const { set } = Object.getOwnPropertyDescriptor(IDBTransaction.prototype, 'oncomplete');
  Object.defineProperty(IDBTransaction.prototype, 'oncomplete', {
    set(listener) {
      set.call(this, (event) => globalThis.deaf ? ++globalThis.stored : listener.call(this, event));
    },
  });
}`;

describe('a window that is closed at once after a change', () => {
  test('leaves it to another, which shows and pushes it, though no message came', () =>
    withProfile(async (profile) => {
      // The first has the socket: the end of the second gives it nothing to do by itself.
      const other = await opened(profile, proxy.url, { user: 'left' });
      const left = await opened(profile, proxy.url, { user: 'left' }, { script: deafness });
      for (const page of [left, other]) await inStep(page);
      await left.evaluate(() => {
        Object.assign(globalThis, { deaf: true });
        db.mutate.addNote({ title: 'left behind' });
      });
      await until(left, () => (globalThis as unknown as { stored: number }).stored > 0, []);
      await left.close();
      // By the regular look at storage it would take a minute.
      const found = () => db.notes.where('title', '=', 'left behind').count() === 1;
      await until(other, found, [], 20_000);
      await until(other, () => db.sync.status.pending === 0, [], 20_000);
      const titles = await rowsOnServer<{ title: string }>(served.server.url, 'notes');
      expect(titles.filter(({ props }) => props.title === 'left behind')).toHaveLength(1);
    }));
});

describe('a window that the browser discards', () => {
  test('is overtaken in the middle of a push, and has everything when it is reloaded', async () => {
    const profile = new Profile(undefined, { internals: true });
    try {
      const user = 'discarded';
      const a = await opened(profile, proxy.url, { user }, { user: 'a' });
      const id = await counterOf(a);
      const letGo = await holdBump(a, id);
      const b = await opened(profile, proxy.url, { user }, { user: 'b' });
      const addresses = [a.url(), b.url()] as const;
      await profile.discard(addresses[0]);
      const pushed = proxy.next(/\/v1\/push/);
      const other = await profile.page(addresses[1]);
      await pushed;
      letGo();
      await caughtUp(other);
      expect(await rank(other, id)).toBe(1);
      const again = await profile.page(addresses[0]);
      await again.waitForFunction(() => 'kit' in globalThis);
      const state = () => [
        'db' in globalThis,
        (document as { wasDiscarded?: boolean }).wasDiscarded,
      ];
      expect(await again.evaluate(state)).toEqual([false, true]);
      await again.evaluate((who) => kit.start({ user: who }), user);
      await again.evaluate((key) => db.mutate.bump({ id: key }).confirmed, id);
      await caughtUp(other);
      for (const page of [again, other]) expect(await rank(page, id)).toBe(2);
    } finally {
      await profile.remove();
    }
  });
});

describe('a copied window', () => {
  test('gets a name of its own though its sessionStorage is a copy', () =>
    withProfile(async (profile) => {
      const user = 'copied';
      const original = await opened(profile, proxy.url, { user });
      await inStep(original);
      const browser = await profile.browser();
      const opening = browser.waitForTarget((target) => target.opener() === original.target());
      await original.evaluate(() => {
        sessionStorage.setItem('mark', 'copied');
        window.open(location.href);
      });
      const copy = await (await opening).page();
      if (!copy) throw new Error('no page in the new window');
      await copy.waitForFunction(() => 'kit' in globalThis);
      expect(await copy.evaluate(() => sessionStorage.getItem('mark'))).toBe('copied');
      await copy.evaluate((who) => kit.start({ user: who }), user);
      const listener = await bare(profile, proxy.url);
      await listener.evaluate((who) => {
        const tabs: string[] = [];
        Object.assign(globalThis, { tabs });
        new BroadcastChannel(`skerry/test/${who}`).onmessage = ({ data }) => {
          if (data.type === 'added') tabs.push(data.tab);
        };
      }, user);
      for (const page of [original, copy])
        await page.evaluate(() => db.mutate.addNote({ title: 'who' }).confirmed);
      const names = await listener.evaluate(
        () => (globalThis as unknown as { tabs: string[] }).tabs,
      );
      expect(new Set(names).size).toBe(2);
      // A reload of the same window does not take the other's name either.
      await reopened(original, { user });
      await original.evaluate(() => db.mutate.addNote({ title: 'who' }).confirmed);
      const later = await listener.evaluate(
        () => (globalThis as unknown as { tabs: string[] }).tabs,
      );
      expect(later.at(-1)).not.toBe(names[1]);
    }));
});

describe('a wrong clock', () => {
  test.each([
    ['a day ahead', DAY_MS],
    ['a day behind', -DAY_MS],
  ])('%s: everything syncs, and times are the server’s', (name, clockShiftMs) =>
    withProfile(async (wrong) => {
      const right = new Profile();
      try {
        const user = `clock-${name.replaceAll(' ', '-')}`;
        const a = await opened(wrong, proxy.url, { user }, { clockShiftMs });
        const b = await opened(right, proxy.url, { user });
        await inStep(a);
        await inStep(b);
        const make = (page: Page, title: string) =>
          page.evaluate(async (text) => {
            const made = db.mutate.addNote({ title: text });
            await made.confirmed;
            return made.result;
          }, title);
        const mine = await make(a, 'from the wrong clock');
        const theirs = await make(b, 'from the right clock');
        // An edit of a row that is not here yet has no effect.
        await caughtUp(a);
        await a.evaluate(
          (key) => db.mutate.editNote({ id: key, patch: { rank: 1 } }).confirmed,
          theirs,
        );
        await b.evaluate(
          (key) =>
            db.sync
              .waitForSync({ timeoutMs: 30_000 })
              .then(() => db.mutate.editNote({ id: key, patch: { rank: 2 } }).confirmed),
          mine,
        );
        for (const page of [a, b]) await caughtUp(page);
        for (const page of [a, b])
          expect([await rank(page, mine), await rank(page, theirs)]).toEqual([2, 1]);
        expect(await a.evaluate(() => kit.everything())).toBe(
          await b.evaluate(() => kit.everything()),
        );
        const age = await a.evaluate((key) => db.notes.get(key)?.createdAt.getTime() ?? 0, mine);
        expect(Math.abs(age - Date.now())).toBeLessThan(DAY_MS / 24);
        const offset = await a.evaluate(() => db.sync.status.clockOffsetMs);
        expect(Math.abs(Math.abs(offset) - DAY_MS)).toBeLessThan(60_000);
      } finally {
        await right.remove();
      }
    }),
  );
});
