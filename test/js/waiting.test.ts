/** `db.sync.waitForSync` and `now`: what they promise while storage, network, page and worker come and go; on memory hosts. */
import { expect, test, vi } from 'vitest';
import { connect, local, world } from './account-world.ts';
import { turn, until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

const more = { defaultRealm: 'public' };
const created = (id: string) => ({
  ...{ op: 'create', table: 'cities', id },
  set: { name: id, country: 'SE', population: 1 },
});

test('the time limit and the signal hold while storage does not answer, too', async () => {
  const { host } = world();
  const db = await connect(host, 'anna', more);
  host.storage.faults.hold = true;
  db.mutate.addCity({ id: 'a', name: 'A' });
  await expect(db.sync.waitForSync({ timeoutMs: 30 })).rejects.toMatchObject({ code: 'timeout' });
  const stop = new AbortController();
  const waiting = db.sync.waitForSync({ signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  host.storage.release();
  await db.sync.waitForSync();
  expect(db.sync.status.pending).toBe(0);
});

test('a pull that began before the call does not count as a sync', async () => {
  const { host, server } = world();
  const db = await connect(host, 'anna', more);
  await db.sync.now();
  let answer = () => {};
  const asked = new Promise<void>((began) => {
    const { respond } = host.network;
    host.network.respond = async (request) => {
      host.network.respond = respond;
      const early = await respond(request);
      began();
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return early;
    };
  });
  const earlier = db.sync.now();
  await asked;
  // Behind the answer that is on its way.
  server.write([created('late')]);
  const waiting = db.sync.waitForSync().then(() => db.cities.get('late')?.name);
  await turn();
  answer();
  await earlier;
  expect(await waiting).toBe('late');
});

test('waiting ends after the network was away, the page frozen or all paused', async () => {
  const { host, server } = world();
  const db = await connect(host, 'anna', more);
  await db.sync.now();
  const waits: Promise<unknown>[] = [];
  const wait = async () => {
    server.write([created(`w${waits.length}`)]);
    const id = `w${waits.length}`;
    waits.push(db.sync.waitForSync().then(() => expect(db.cities.get(id)).toBeDefined()));
    for (let i = 0; i < 5; i++) await turn();
  };
  host.network.online = false;
  await wait();
  host.network.online = true;
  host.page.send({ type: 'freeze' });
  await wait();
  host.page.send({ type: 'resume' });
  db.sync.pause();
  await wait();
  db.sync.resume();
  await Promise.all(waits);
});

test('requests to the worker of a frozen page reject at once, and can be repeated', async () => {
  const { host, server } = world();
  const db = await connect(host, 'anna', more);
  await db.sync.now();
  server.instead = () => new Promise(() => {});
  const asked = [db.sync.now(), db.sync.now()];
  for (let i = 0; i < 5; i++) await turn();
  host.page.send({ type: 'freeze' });
  for (const each of asked)
    await expect(each).rejects.toMatchObject({ name: 'NetworkError', retryable: true });
  server.instead = null;
  host.page.send({ type: 'resume' });
  await db.sync.now();
});

test('without a server it waits for storage, and ends with the database', async () => {
  const { host } = world();
  const db = await local(host);
  db.mutate.addCity({ id: 'a', name: 'A' });
  await db.sync.waitForSync();
  expect(host.storage.dump('skerry/test/local', 'updates')).toHaveLength(1);
  host.storage.faults.hold = true;
  db.mutate.addCity({ id: 'b', name: 'B' });
  const waiting = db.sync.waitForSync({ timeoutMs: 30 });
  await expect(waiting).rejects.toMatchObject({ code: 'timeout' });
  host.storage.release();
});

test('a conflict that is resolved twice at once is resolved once; the second rejects', async () => {
  const { host, server } = world();
  const db = await connect(host, 'anna', more);
  server.refuse = () => 'not_nice';
  await expect(db.mutate.addCity({ id: 'a', name: 'A' }).confirmed).rejects.toThrow();
  await until(() => db.conflicts.all().length === 1);
  const id = db.conflicts.all()[0]?.id as number;
  const outcomes = await Promise.allSettled([
    db.conflicts.resolve(id, 'discard'),
    db.conflicts.resolve(id, 'retry'),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(db.cities.get('a')).toBeUndefined();
});
