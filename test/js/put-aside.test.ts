/** What the application changes in the last events of its page is stored before the page stands still; on memory hosts. */
import { ManualTime, type MemoryHost, memory } from 'skerry/testing';
import { describe, expect, test, vi } from 'vitest';
import type { ChannelHost } from '../../js/host/channel.ts';
import type { Storage } from '../../js/host/storage.ts';
import { connect, local, world } from './account-world.ts';
import { turn, until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const more = { defaultRealm: 'public' };

for (const event of [{ type: 'freeze' }, { type: 'pagehide', persisted: true }] as const)
  test(`changes in the last events of a page that is frozen are stored (${event.type})`, async () => {
    const { host } = world();
    const db = await connect(host, 'anna', more);
    await db.sync.now();
    const stored = () => host.storage.dump('skerry/test/anna', 'mutations').length;
    const other = await connect(host.window(), 'anna', more);
    for (const each of [db, other]) each.sync.pause();
    host.storage.faults.hold = true;
    // No transaction of the window's own is heard of any more.
    db.mutate.addCity({ id: 'a', name: 'A' });
    let kept: Promise<void> | undefined;
    host.page.send(event, () => {
      kept = db.mutate.addCity({ id: 'b', name: 'B' }).confirmed;
      expect(stored()).toBe(2);
    });
    expect(stored()).toBe(2);
    db.mutate.addCity({ id: 'c', name: 'C' });
    expect(stored()).toBe(2);
    host.storage.faults.hold = false;
    host.page.send({ type: 'resume' });
    for (const each of [db, other]) each.sync.resume();
    await kept;
    await db.sync.waitForSync();
    expect(db.sync.status.pending).toBe(0);
    expect(stored()).toBe(0);
    for (const each of [db, other]) expect(each.cities.count()).toBe(3);
  });

test('changes while a page ends are stored behind those under way, and announced', async () => {
  const { host } = world();
  const db = await connect(host, 'anna', more);
  await db.sync.now();
  const other = await connect(host.window(), 'anna', more);
  for (const each of [db, other]) each.sync.pause();
  host.storage.faults.hold = true;
  db.mutate.addCity({ id: 'a', name: 'A' });
  const stored = () => host.storage.dump('skerry/test/anna', 'mutations').length;
  host.page.send({ type: 'pagehide', persisted: false }, () => {
    db.mutate.addCity({ id: 'b', name: 'B' });
    expect(stored()).toBe(2);
  });
  host.storage.faults.hold = false;
  await until(() => other.cities.count() === 2);
  // The page goes on to live, against its last event.
  const made = db.mutate.addCity({ id: 'c', name: 'C' });
  await made.durable;
  expect(stored()).toBe(3);
  for (const each of [db, other]) each.sync.resume();
  await made.confirmed;
  await until(() => db.sync.status.pending === 0);
  expect(other.cities.count()).toBe(3);
});

test('a page that runs on without further events closes its connection after its task', async () => {
  const time = new ManualTime();
  const host = memory({ time });
  const open = vi.spyOn(host.storage, 'open');
  await connect(host, 'anna', more);
  const suspend = vi.spyOn((await open.mock.results[0]?.value) as Storage, 'suspend');
  host.page.send({ type: 'freeze' }, () => {
    expect(suspend).not.toHaveBeenCalled();
    time.advance(1);
    expect(suspend).toHaveBeenCalledTimes(1);
  });
  expect(suspend).toHaveBeenCalledTimes(1);
});

describe.each([
  ['with a remote', true],
  ['without a remote', false],
])('%s, what a page has stored that was put aside', (_, isRemote) => {
  /** A window whose page is put into the cache, and a window that receives no messages. */
  async function withDeafWindow() {
    const time = new ManualTime();
    const host = memory({ time });
    host.network.online = false;
    const open = (at: MemoryHost) => (isRemote ? connect(at, 'anna', more) : local(at));
    const db = await open(host);
    const deaf = host.window();
    const channels: ChannelHost = { open: (name) => host.channels.open(name, () => {}) };
    const other = await open({ ...deaf, channels });
    let durable: Promise<void> | undefined;
    const put = () =>
      host.page.send({ type: 'pagehide', persisted: true }, () => {
        durable = db.mutate.addCity({ id: 'a', name: 'A' }).durable;
      });
    const back = () => {
      host.page.send({ type: 'pageshow', persisted: true });
      return durable;
    };
    const shows = () => other.cities.count() === 1;
    return { time, page: deaf.page, put, back, shows };
  }

  test('is shown by a visible window within a minute', async () => {
    const { time, put, back, shows } = await withDeafWindow();
    put();
    for (let i = 0; i < 50; i++) await turn();
    expect(shows()).toBe(false);
    time.advance(60_000);
    await until(shows);
    await back();
  });

  test('is shown by a hidden window as soon as it is visible', async () => {
    const { time, page, put, back, shows } = await withDeafWindow();
    page.send({ type: 'visibility', visible: false });
    put();
    time.advance(60_000);
    for (let i = 0; i < 50; i++) await turn();
    expect(shows()).toBe(false);
    page.send({ type: 'visibility', visible: true });
    await until(shows);
    await back();
  });
});
