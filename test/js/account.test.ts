/**
 * Leaving an account and entering one, on memory hosts: what a log-out refuses, keeps and deletes; files of an export;
 * adoption of local data. What a real server makes of it is in test/server/account.test.ts, what a real browser does in
 * test/browser/account.test.ts.
 */
import type { MemoryHost } from 'skerry/testing';
import { describe, expect, test, vi } from 'vitest';
import type { Write } from '../../js/host/storage.ts';
import { connect as connectAs, local, world } from './account-world.ts';
import { type App, turn, until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const connect = (host: MemoryHost, user: string, more = {}) =>
  connectAs(host, user, { defaultRealm: 'public', ...more });

const ended = (db: App) =>
  new Promise<string>((resolve) => db.on('closed', ({ reason }) => resolve(reason)));

const stored = (host: MemoryHost, user: string, store: string) =>
  host.storage.dump(`skerry/test/${user}`, store);

/** A window of this profile, during whose log-out something happens after it has closed its own database. */
const meanwhile = (host: MemoryHost, user: string, happens: () => Promise<unknown>): MemoryHost =>
  Object.assign(host.window(), {
    accounts: {
      exists: () => host.storage.exists(`skerry/test/${user}`),
      deleteIf: async (...args: Parameters<MemoryHost['storage']['deleteIf']>) => {
        await happens();
        return host.storage.deleteIf(...args);
      },
    },
  });

/** Writes past the package. */
async function write(host: MemoryHost, user: string, one: Write): Promise<void> {
  const storage = await host.storage.open(`skerry/test/${user}`, () => {});
  const { store } = one;
  await storage.transact({ stores: [store], mode: 'readwrite', reads: [] }, () => ({
    type: 'write',
    writes: [one],
  }));
}

describe('logout', () => {
  test('fails with the count while any window has pending changes, and changes nothing', async () => {
    const { host, server } = world();
    const [one, two] = [await connect(host, 'anna'), await connect(host.window(), 'anna')];
    await one.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
    host.network.online = false;
    two.mutate.addCity({ id: 'b', name: 'B' });
    await two.mutate.addCity({ id: 'c', name: 'C' }).durable;
    await expect(one.logout()).rejects.toMatchObject({
      name: 'UnsyncedError',
      code: 'unsynced',
      pending: 2,
      conflicts: 0,
    });
    expect(stored(host, 'anna', 'mutations')).toHaveLength(2);
    host.network.online = true;
    await one.mutate.addCity({ id: 'd', name: 'D' }).confirmed;
    await until(() => two.cities.get('d') !== undefined && two.sync.status.pending === 0);
    expect(server.pushed.flatMap(({ ops }) => ops)).toHaveLength(4);
  });

  test('fails for concurrent changes, counts them all, and leaves the window open', async () => {
    const { host } = world();
    const db = await connect(host, 'anna');
    await db.sync.now();
    host.network.online = false;
    host.storage.faults.hold = true;
    db.mutate.addCity({ id: 'a', name: 'A' });
    await turn();
    // The first is on its way to storage, and this one waits for it.
    db.mutate.addCity({ id: 'b', name: 'B' });
    const leaving = db.logout();
    host.storage.release();
    await expect(leaving).rejects.toMatchObject({ code: 'unsynced', pending: 2 });
    expect(db.cities.get('b')?.name).toBe('B');
  });

  test('counts what lies in the conflict inbox', async () => {
    const { host, server } = world();
    const db = await connect(host, 'anna');
    server.refuse = () => 'forbidden';
    await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed.catch(() => {});
    await until(() => db.conflicts.all().length === 1);
    await expect(db.logout()).rejects.toMatchObject({ code: 'unsynced', pending: 0, conflicts: 1 });
    expect(db.conflicts.all()).toHaveLength(1);
  });

  test('with nothing to lose closes all windows of the user, and deletes the data', async () => {
    const { host } = world();
    const [one, two] = [await connect(host, 'anna'), await connect(host.window(), 'anna')];
    const other = await connect(host.window(), 'bob');
    await one.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
    host.storage.writeFile('/skerry/test/anna/1', 'x', new Uint8Array(1));
    const reasons = [ended(one), ended(two)];
    await one.logout();
    expect(await Promise.all(reasons)).toEqual(['logout', 'logout']);
    expect(await host.storage.exists('skerry/test/anna')).toBe(false);
    expect(host.storage.mounts('skerry/test/anna')).toEqual([]);
    await other.mutate.addCity({ id: 'b', name: 'B' }).confirmed;
    await expect(one.logout()).rejects.toMatchObject({ code: 'closed' });
  });

  test.each([
    ['fail', 'deleted-or-upgraded', false],
    ['keep', 'logout', true],
  ] as const)(
    '%s: a window that stood still meanwhile is closed when it comes back',
    async (unsynced, reason, exists) => {
      const { host, server } = world();
      const [one, two] = [await connect(host, 'anna'), await connect(host.window(), 'anna')];
      await one.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
      const still = ended(one);
      host.page.send({ type: 'freeze' });
      await two.logout({ unsynced });
      host.page.send({ type: 'resume' });
      expect(await still).toBe(reason);
      expect(await host.storage.exists('skerry/test/anna')).toBe(exists);
      // A user who logs in again stays, also when the page is frozen and resumes.
      const again = await connect(host, 'anna');
      await again.sync.now();
      host.page.send({ type: 'freeze' });
      host.page.send({ type: 'resume' });
      await again.mutate.addCity({ id: 'b', name: 'B' }).confirmed;
      expect(server.pushed).toHaveLength(2);
    },
  );

  test('keeps what another window writes between the two counts', async () => {
    const { host } = world();
    const db = await connect(host, 'anna');
    await db.sync.now();
    const late = { store: 'mutations', add: { v: 1, id: 'late' } };
    const writing = meanwhile(host, 'anna', () => write(host, 'anna', late));
    const window = await connect(writing, 'anna');
    await expect(window.logout()).rejects.toMatchObject({ code: 'unsynced', pending: 1 });
    expect(stored(host, 'anna', 'mutations')).toHaveLength(1);
  });

  test('keep: the token goes, changes stay, and are pushed at the next log-in', async () => {
    const { host, server } = world();
    const first = await connect(host, 'anna', { serviceWorker: true });
    await first.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
    expect(stored(host, 'anna', 'sync').map(({ key }) => key)).toContain('token');
    host.network.online = false;
    await first.mutate.addCity({ id: 'b', name: 'B' }).durable;
    const second = await connect(host.window(), 'anna', { serviceWorker: true });
    const reasons = [ended(first), ended(second)];
    await first.logout({ unsynced: 'keep' });
    expect(await Promise.all(reasons)).toEqual(['logout', 'logout']);
    expect(stored(host, 'anna', 'sync').map(({ key }) => key)).not.toContain('token');
    host.network.online = true;
    // The browser's event for what was not pushed: no worker may push in the name of a user who left.
    await expect(host.serviceWorker.sync('skerry/test/anna')).rejects.toThrow('logged out');
    expect(server.pushed).toHaveLength(1);
    const again = await connect(host, 'anna', { serviceWorker: true });
    expect(again.cities.get('b')?.name).toBe('B');
    await until(() => again.sync.status.pending === 0);
    expect(server.pushed).toHaveLength(2);
    await until(() => again.sync.status.mode === 'service-worker');
  });

  test('keep: a token that another window keeps while it ends goes too', async () => {
    const { host } = world();
    await connect(host, 'anna', { serviceWorker: true });
    const late = { store: 'sync', put: { v: 1, token: 'late' }, key: 'token' };
    const writing = meanwhile(host, 'anna', () => write(host, 'anna', late));
    const window = await connect(writing, 'anna');
    await window.logout({ unsynced: 'keep' });
    expect(stored(host, 'anna', 'sync').map(({ key }) => key)).not.toContain('token');
    expect(stored(host, 'anna', 'sync').find(({ key }) => key === 'service')?.value).toMatchObject({
      loggedOut: true,
    });
  });

  test('keep: a service worker that runs is ended before the data are looked at again', async () => {
    const { host, server } = world();
    const first = await connect(host, 'anna', { serviceWorker: true });
    await first.sync.now();
    host.network.online = false;
    await first.mutate.addCity({ id: 'a', name: 'A' }).durable;
    let outcome: unknown = null;
    const woken = async () => {
      host.network.online = true;
      outcome = await host.serviceWorker.sync('skerry/test/anna').catch((error) => error);
    };
    const window = await connect(meanwhile(host, 'anna', woken), 'anna', { serviceWorker: true });
    await window.logout({ unsynced: 'keep' });
    expect(outcome).toMatchObject({ code: 'logged_out' });
    expect(server.pushed).toHaveLength(0);
  });

  test('discard: changes are deleted with the rest, and no service worker finds them', async () => {
    const { host, server } = world();
    const db = await connect(host, 'anna', { serviceWorker: true });
    await db.sync.now();
    host.network.online = false;
    await db.mutate.addCity({ id: 'a', name: 'A' }).durable;
    await db.logout({ unsynced: 'discard' });
    host.network.online = true;
    expect(await host.serviceWorker.sync('skerry/test/anna')).toEqual({ pending: 0 });
    expect(await host.storage.exists('skerry/test/anna')).toBe(false);
    expect(server.pushed).toHaveLength(0);
  });

  test('is refused without a remote, and with options that it does not know', async () => {
    const { host } = world();
    const db = await local(host);
    await expect(db.logout()).rejects.toMatchObject({ code: 'unsupported' });
    const remote = await connect(host, 'anna');
    await expect(remote.logout({ force: true } as never)).rejects.toMatchObject({
      code: 'unsupported',
    });
    await expect(remote.logout({ unsynced: 'lose' as never })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(remote.cities.count()).toBe(0);
  });
});

test('keeps rows, changes and tokens of users on one profile apart', async () => {
  const { host, server } = world();
  host.network.online = false;
  const anna = await connect(host, 'anna', { serviceWorker: true });
  await anna.mutate.addCity({ id: 'a', name: 'of Anna' }).durable;
  await until(() => stored(host, 'anna', 'sync').some(({ key }) => key === 'token'));
  await anna.close();
  // It would push Anna's at its next attempt, with her token.
  await host.serviceWorker.stop();
  host.network.online = true;
  const bob = await connect(host.window(), 'bob', { serviceWorker: true });
  expect(bob.cities.count()).toBe(0);
  await bob.mutate.addCity({ id: 'b', name: 'of Bob' }).confirmed;
  expect(server.pushed.flatMap(({ ops }) => ops.map(({ id }) => id))).toEqual(['b']);
  expect(new Set(server.tokens)).toEqual(new Set(['Bearer dev:bob']));
  await bob.close(); // else a poke would have him pull, with his token
  // Anna's are pushed when the worker is woken for her database, with her token.
  server.tokens.length = 0;
  await host.serviceWorker.sync('skerry/test/anna');
  expect(server.pushed.flatMap(({ ops }) => ops.map(({ id }) => id))).toEqual(['b', 'a']);
  expect(new Set(server.tokens)).toEqual(new Set(['Bearer dev:anna']));
});
