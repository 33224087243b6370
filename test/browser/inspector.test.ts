// Goal: the feed of the inspector shows what the core knows, in both modes: an action's way, also over a time without a network and to a
// refusal; who pushes, and who does after that one is gone; requests, storage and live queries; and nothing is collected without it. Method: real
// windows over a real server, behind a proxy that breaks the network.
import type { Page } from 'puppeteer-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addNote, feed, isOver, type Mode, stepsOf, windowOf } from './support/inspected.ts';
import { caughtUp } from './support/kit.ts';
import { ServiceControl } from './support/service.ts';
import { TwoDevices } from './support/two-devices.ts';

const devices = new TwoDevices();
let page: Page;

beforeEach(() => devices.newDevice());
afterEach(() => {
  expect(devices.profile.problems).toEqual([]);
});

const window = (mode: Mode) => windowOf(devices, mode);

async function inspected(mode: Mode): Promise<Page> {
  const opening = await window(mode);
  await opening.evaluate(() => inspectHere());
  return opening;
}

const whole = ['made', 'stored', 'grouped', 'sent', 'received', 'confirmed'];

describe.each(['lease', 'service-worker'] as const)('with a %s that pushes', (mode) => {
  test('an action is followed from made to confirmed, and its push is listed', async () => {
    page = await inspected(mode);
    const id = await addNote(page, 'Milk');
    const view = await feed(page, isOver, id);
    expect(stepsOf(view, id)).toEqual(whole);
    expect(view.actions[0]).toMatchObject({ name: 'addNote', from: 'this-window' });
    expect(view.actions[0]?.objects).toMatchObject([{ table: 'notes' }]);
    const push = view.requests.find(({ path }) => path === '/push');
    const by = mode === 'lease' ? 'this-window' : 'service-worker';
    expect(push).toMatchObject({ method: 'POST', status: 200, error: null, by });
    expect(push?.ms).toBeGreaterThanOrEqual(0);
    expect(view.status).toMatchObject({ mode, pending: 0, error: null });
    expect(view.realms.find(({ realm }) => realm === 'public')).toMatchObject({
      ...{ mayWrite: true, lost: false },
    });
    expect(view.scopes).toMatchObject(
      ['lists', 'notes'].map((table) => ({ table, fill: 'whole' })),
    );
  });

  test('offline it waits in the outbox, and online it goes its way', async () => {
    page = await inspected(mode);
    devices.proxy.setOffline(true);
    const id = await addNote(page, 'Bread');
    const waiting = await feed(
      page,
      (view, of) => view.outbox.pending.some((one) => one.id === of) && view.status.error !== null,
      id,
    );
    expect(waiting.outbox.pendingCount).toBe(1);
    expect(stepsOf(waiting, id)?.slice(0, 2)).toEqual(['made', 'stored']);
    expect(stepsOf(waiting, id)).not.toContain('received');
    expect(waiting.requests.some(({ error }) => error !== null)).toBe(true);
    devices.proxy.setOffline(false);
    await page.evaluate(() => kit.outcome(() => db.sync.now()));
    const view = await feed(page, isOver, id);
    expect(stepsOf(view, id)).toEqual(whole);
    expect(view.outbox).toMatchObject({ pendingCount: 0, updateCount: 0 });
    expect(view.log.some(({ is }) => is === 'error')).toBe(true);
  });

  test('a refused one has its code, and its entry of the inbox', async () => {
    page = await inspected(mode);
    const slug = `slug-${mode}`;
    devices.proxy.rules({ path: /\/v1\//, fault: 'refuse' });
    const id = await page.evaluate(async (taken) => {
      kit.made = db.mutate.addList({ name: 'Mine', slug: taken });
      await kit.made.durable;
      return kit.made.id;
    }, slug);
    await devices.theirs.evaluate(
      (taken) => db.mutate.addList({ name: 'Theirs', slug: taken }).confirmed,
      slug,
    );
    devices.proxy.rules();
    await page.evaluate(() => kit.outcome(() => db.sync.now()));
    const view = await feed(page, (one, of) => one.conflicts[0]?.action?.id === of, id);
    expect(stepsOf(view, id)?.at(-1)).toBe('refused');
    expect(view.actions[0]?.steps.at(-1)?.code).toBe('unique');
    expect(view.conflicts[0]).toMatchObject({ table: 'lists', code: 'unique' });
    expect(view.conflicts[0]?.mine).toMatchObject({ name: 'Mine', slug });
  });

  test('an action of another window is followed, too', async () => {
    page = await inspected(mode);
    const other = await window(mode);
    const id = await addNote(other, 'Eggs');
    const view = await feed(page, isOver, id);
    expect(view.actions[0]).toMatchObject({ id, from: 'another-window', name: 'addNote' });
    expect(stepsOf(view, id)?.at(-1)).toBe('confirmed');
  });

  test('no token is in the feed, nor in a header of it', async () => {
    page = await inspected(mode);
    const id = await addNote(page, 'Salt');
    const view = await feed(page, isOver, id);
    const stored = await page.evaluate((user) => kit.stored('sync', { user }), devices.user);
    // A service worker finds it there, but nobody finds it here.
    if (mode === 'service-worker') expect(JSON.stringify(stored)).toContain(`dev:${devices.user}`);
    expect(JSON.stringify(view)).not.toMatch(/dev:|Bearer|authorization|realmsToken/i);
  });

  test('without an inspector no worker reports anything, and after it nothing more', async () => {
    page = await window(mode);
    await page.evaluate((user) => {
      const traces: unknown[] = [];
      Object.assign(globalThis, { traces });
      const channel = new BroadcastChannel(`skerry/test/${user}`);
      channel.onmessage = ({ data }) => {
        if (data?.type === 'trace') traces.push(data);
      };
    }, devices.user);
    const traces = () =>
      page.evaluate(() => (globalThis as unknown as { traces: unknown[] }).traces.length);
    const confirm = async (title: string) => {
      await addNote(page, title);
      await page.evaluate(() => kit.made.confirmed);
      await caughtUp(page);
    };
    await confirm('one');
    expect(await traces()).toBe(0);
    await page.evaluate(() => inspectHere());
    await confirm('two');
    await expect.poll(traces).toBeGreaterThan(0);
    await page.evaluate(() => inspector.close());
    // What it reported before it heard of the end.
    await confirm('three');
    const before = await traces();
    await confirm('four');
    expect(await traces()).toBe(before);
    expect(await page.evaluate(() => inspector.view.actions[0]?.name)).toBe('addNote');
    expect((await page.evaluate(() => inspector.view.actions)).length).toBe(1);
  });
});

test('shows who pushes, and who does after that window has closed', async () => {
  const first = await window('lease');
  page = await inspected('lease');
  const rest = await feed(page, ({ pusher }) => pusher.by === 'nobody');
  expect(rest.pusher.owner).toBeNull();
  let release: () => void = () => {};
  const hold = new Promise<void>((resolve) => {
    release = resolve;
  });
  devices.proxy.rules({ path: /\/v1\/push/, hold });
  const id = await addNote(first, 'Flour');
  const before = await feed(page, ({ pusher }) => pusher.by === 'another-window');
  const lease = before.pusher.leases.find(({ name }) => name === 'push');
  expect(lease).toMatchObject({ owner: before.pusher.owner, isThisWindow: false });
  const sending = await feed(page, ({ requests }) => requests[0]?.path === '/push');
  expect(sending.requests[0]).toMatchObject({ by: 'another-window', ms: null, status: null });
  expect(stepsOf(sending, id)?.at(-1)).toBe('sent');
  await first.close();
  // The status says so first, and storage when it is read the next time.
  const after = await feed(page, ({ pusher }) => {
    const stored = pusher.leases.find(({ name }) => name === 'push');
    return pusher.by === 'this-window' && stored?.isThisWindow === true;
  });
  expect(after.pusher.owner).toBe(after.database.window);
  release();
  const over = await feed(page, isOver, id);
  expect(stepsOf(over, id)?.at(-1)).toBe('confirmed');
  expect(over.log.some(({ is }) => is === 'pusher')).toBe(true);
});

test('hears a service worker that the browser has stopped and started again', async () => {
  page = await inspected('service-worker');
  const id = await addNote(page, 'Oil');
  const before = await feed(page, isOver, id);
  expect(before.pusher).toMatchObject({ by: 'service-worker', owner: null });
  const workers = new Set(before.requests.map(({ from }) => from));
  expect(workers.size).toBe(1);
  const service = await ServiceControl.of(page);
  await service.stop();
  const again = await addNote(page, 'Vinegar');
  const view = await feed(page, isOver, again);
  expect(stepsOf(view, again)?.at(-1)).toBe('confirmed');
  const [first = ''] = workers;
  await feed(page, ({ requests }, of) => requests.some(({ from }) => from !== of), first);
});

test('counts storage, and shows live queries with what they take', async () => {
  page = await inspected('lease');
  await page.evaluate(() => {
    db.notes
      .where('list', '=', 'nowhere')
      .orderBy('rank')
      .live()
      .subscribe(() => {});
    db.notes.liveCount().subscribe(() => {});
  });
  const id = await addNote(page, 'Pepper');
  await feed(page, isOver, id);
  const view = await feed(page, ({ queries }) => (queries[1]?.updates ?? 0) > 0);
  expect(view.queries).toMatchObject([
    { table: 'notes', kind: 'rows', rows: 0, indexes: ['list'], updates: 0, order: ['rank asc'] },
    { table: 'notes', kind: 'count', indexes: [], where: null },
  ]);
  expect(view.queries[1]?.rows).toBe(await page.evaluate(() => db.notes.count()));
  expect(view.storage.usage).toBeGreaterThan(0);
  expect(view.storage.records?.['updates']).toBeGreaterThan(0);
  expect(view.clock.n).toBe(view.clock.storedN);
});
