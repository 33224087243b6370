/**
 * The sync worker with its host, between windows and a server in memory: confirmations, arrivals, refusals, tokens,
 * failures in words, control by the application, freezing. The core's own decisions are tested in test/core.
 */
import { http, LimitError } from 'skerry';
import { freezeWorker } from 'skerry/testing';
import { describe, expect, test, vi } from 'vitest';
import { problem } from './fake-server.ts';
import { fresh, openApp, until } from './support.ts';
import { connect, world } from './sync-world.ts';

// A machine under load takes its time; what never comes is what a test must notice.
vi.setConfig({ testTimeout: 30_000 });

describe('with a server', () => {
  test('a mutation is durable, pushed, and confirmed by a pull', async () => {
    const { host, server } = world();
    const db = await connect(host);
    const stages: string[] = [];
    const mutation = db.mutate.addCity({ id: 'a', name: 'A' });
    for (const stage of ['durable', 'pushed', 'confirmed'] as const)
      void mutation[stage].then(() => stages.push(stage));
    expect(db.cities.isPending('a')).toBe(true);
    await mutation.confirmed;
    expect(stages).toEqual(['durable', 'pushed', 'confirmed']);
    expect(server.pushed).toHaveLength(1);
    expect(server.pushed[0]).toMatchObject({
      actions: [{ name: 'addCity', arg: { id: 'a', name: 'A' } }],
      ops: [{ op: 'create', table: 'cities', id: 'a', realm: 'public' }],
    });
    expect(db.cities.isPending('a')).toBe(false);
    expect(db.cities.get('a')?.modifiedAt.getTime()).toBe(server.log[0]?.at);
    await until(() => db.sync.status.phase === 'idle');
    expect(db.sync.status).toMatchObject({
      mode: 'lease',
      pending: 0,
      needsAuth: false,
      error: null,
      revisions: { public: 1 },
    });
    expect(db.sync.status.lastSyncedAt).toBeInstanceOf(Date);
  });

  test('changes of others arrive by a poke, in every window', async () => {
    const { host, server } = world();
    server.write([
      { op: 'create', table: 'cities', id: 'x', set: { name: 'before', country: 'SE' } },
    ]);
    const [one, two] = [await connect(host), await connect(host.window())];
    await until(() => [one, two].every((db) => db.cities.get('x')?.name === 'before'));
    await until(() => server.connections === 1);
    server.write([{ op: 'update', table: 'cities', id: 'x', set: { name: 'after' } }]);
    await until(() => [one, two].every((db) => db.cities.get('x')?.name === 'after'));
    expect(one.cities.get('x')).toEqual(two.cities.get('x'));
  });

  test('several windows have one pusher, and every window’s mutation is pushed once', async () => {
    const { host, server } = world();
    const windows = [
      await connect(host),
      await connect(host.window()),
      await connect(host.window()),
    ];
    await windows[0]?.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
    await until(() => windows.every((db) => db.cities.get('a') !== undefined));
    const all = windows.flatMap((db) =>
      Array.from({ length: 10 }, () => db.mutate.grow({ id: 'a', by: 1 }).confirmed),
    );
    await Promise.all(all);
    const incs = server.log.flatMap(({ update }) => update.ops).filter(({ op }) => op === 'inc');
    expect(incs.reduce((sum, { add }) => sum + (add?.['population'] ?? 0), 0)).toBe(30);
    await until(() => windows.every((db) => db.cities.get('a')?.population === 30));
  });

  test('a refusal goes to the inbox, and can be discarded or tried again', async () => {
    const { host, server } = world();
    const db = await connect(host);
    await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
    server.refuse = ({ set }) => (set?.['name'] === 'bad' ? 'not_nice' : null);
    const lists: number[] = [];
    db.conflicts.subscribe((list) => lists.push(list.length));
    const bad = db.mutate.rename({ id: 'a', name: 'bad' });
    await expect(bad.confirmed).rejects.toMatchObject({ code: 'not_nice' });
    await db.mutate.addCity({ id: 'b', name: 'B' }).confirmed;
    expect(db.cities.get('a')?.name).toBe('A');
    const [conflict] = db.conflicts.all();
    expect(conflict).toMatchObject({
      table: 'cities',
      key: 'a',
      reason: 'rejected',
      code: 'not_nice',
      mine: { name: 'bad' },
    });
    expect(db.sync.status.conflicts).toBe(1);
    server.refuse = () => null;
    await db.conflicts.resolve(conflict?.id as number, 'retry');
    await until(() =>
      server.log.some(({ update }) => update.ops.some(({ set }) => set?.['name'] === 'bad')),
    );
    await until(() => db.conflicts.all().length === 0);
    expect(lists[0]).toBe(0);
    expect(lists).toContain(1);
    expect(lists.at(-1)).toBe(0);
    for (const id of [99, 0, -1, 1.5, Number.NaN, '1' as never])
      await expect(db.conflicts.resolve(id, 'discard')).rejects.toMatchObject({
        code: 'not_found',
      });
  });

  test('scopes are required, and one more part can be asked for', async () => {
    const { host, server } = world();
    const remote = http('http://server.test/v1');
    for (const scopes of [undefined, ['cities'], () => undefined, () => ['cities']]) {
      const opening = openApp(host, { remote, user: 'ada', scopes: scopes as never });
      await expect(opening).rejects.toMatchObject({
        name: 'ValidationError',
        message: expect.stringMatching(/scope/),
      });
    }
    const db = await fresh(host, {
      remote: http('http://server.test/v1'),
      defaultRealm: 'public',
      scopes: (q) => [q.cities.where('country', '=', 'SE')],
    });
    await db.sync.now();
    const sent = () =>
      JSON.parse(new TextDecoder().decode(host.network.requests.at(-1)?.body ?? undefined)) as {
        scopes: unknown[];
      };
    await until(() => server.paths().includes('/v1/pull') && sent().scopes?.length === 1);
    expect(sent().scopes).toMatchObject([{ table: 'cities', where: ['=', 'country', 'SE'] }]);
    const more = db.sync.scope(db.people);
    await more.ready;
    expect(sent().scopes).toHaveLength(2);
    more.unsubscribe();
    expect(() => db.sync.scope(db.cities.limit(1))).toThrow(/limit/);
  });

  test('refuses at once what no server would take, and continues with the rest', async () => {
    const { host, server } = world();
    const words = (n: number) => `%word ${n}%`;
    await expect(
      fresh(host, {
        remote: http('http://server.test/v1'),
        scopes: (q) => [q.cities.where('name', 'like', 'x'.repeat(201))],
        defaultRealm: 'public',
      }),
    ).rejects.toMatchObject({ name: 'LimitError', message: /200 characters/ });
    const db = await connect(host);
    const scopes = Array.from({ length: 99 }, (_, n) =>
      db.sync.scope(db.cities.where('name', 'like', words(n))),
    );
    // The same once more costs nothing.
    scopes.push(db.sync.scope(db.cities.where('name', 'like', words(0))));
    const more = () => db.sync.scope(db.cities.where('name', 'like', words(100)));
    expect(more).toThrow(LimitError);
    expect(more).toThrow(/4,000 comparisons/);
    expect(() => db.cities.where('name', 'like', '%'.repeat(33)).all()).toThrow(LimitError);
    for (const scope of scopes.splice(0, 2)) scope.unsubscribe();
    scopes.push(more());
    await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
    expect(server.pushed).toHaveLength(1);
    expect(db.sync.status.error).toBeNull();
  });
});

describe('tokens', () => {
  test('are requested, sent, and requested again when one has expired', async () => {
    const { host, server } = world();
    const asked: string[] = [];
    const token = async (why: string) => {
      asked.push(why);
      return `${why}-token`;
    };
    const db = await connect(host, { remote: http('http://server.test/v1', { token }) });
    await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
    expect(asked).toEqual(['start']);
    expect(new Set(server.tokens)).toEqual(new Set(['Bearer start-token']));
    server.accepts = (sent) => sent === 'Bearer expired-token';
    await db.mutate.addCity({ id: 'b', name: 'B' }).confirmed;
    expect(asked).toEqual(['start', 'expired']);
  });

  test('that are refused again block with needsAuth; nothing is lost', async () => {
    const { host, server } = world();
    let good = false;
    server.accepts = () => good;
    const asked: string[] = [];
    const token = async (why: string) => {
      asked.push(why);
      return 'x';
    };
    const db = await connect(host, { remote: http('http://server.test/v1', { token }) });
    const mutation = db.mutate.addCity({ id: 'a', name: 'A' });
    await until(() => db.sync.status.needsAuth);
    expect(asked.slice(0, 2)).toEqual(['start', 'expired']);
    expect(db.sync.status).toMatchObject({ phase: 'blocked', pending: 1 });
    good = true;
    await db.sync.now();
    await mutation.confirmed;
    expect(db.sync.status.needsAuth).toBe(false);
  });
});

describe('failures', () => {
  test('of the network are waited out, and named', async () => {
    const { host } = world();
    host.network.online = false;
    const db = await connect(host);
    const mutation = db.mutate.addCity({ id: 'a', name: 'A' });
    await until(() => db.sync.status.error !== null);
    expect(db.sync.status.error).toMatchObject({
      name: 'NetworkError',
      code: 'network',
      retryable: true,
    });
    expect(db.sync.status.pending).toBe(1);
    await expect(db.sync.now()).rejects.toMatchObject({ name: 'NetworkError' });
    host.network.online = true;
    await mutation.confirmed;
    await until(() => db.sync.status.error === null);
  });

  test('by a server that answers HTML are typed, and keep what is pending', async () => {
    const { host, server } = world();
    server.instead = () => ({
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: '<h1>Log in to the wifi</h1>',
    });
    const db = await connect(host);
    db.mutate.addCity({ id: 'a', name: 'A' });
    await until(() => db.sync.status.error !== null);
    expect(db.sync.status.error).toMatchObject({ code: 'not_json', name: 'ServerError' });
    expect(db.sync.status.pending).toBe(1);
    server.instead = null;
    await db.sync.waitForSync();
    expect(db.sync.status).toMatchObject({ pending: 0, error: null });
  });

  test('a server that asks for a pause gets it, and nothing is blocked', async () => {
    const { host, server } = world();
    const db = await connect(host);
    await db.sync.now();
    let refused = 0;
    server.instead = () => {
      server.instead = null;
      refused = performance.now();
      const { headers, ...slowly } = problem(429, 'rate_limited');
      return { ...slowly, headers: { ...headers, 'retry-after': '1' } };
    };
    const { confirmed } = db.mutate.addCity({ id: 'a', name: 'A' });
    await until(() => db.sync.status.phase === 'waiting');
    expect(db.sync.status.error).toMatchObject({ code: 'rate_limited', retryable: true });
    await confirmed;
    // Without it the pause would be of 40 ms at most.
    expect(performance.now() - refused).toBeGreaterThanOrEqual(990);
    expect(db.sync.status.error).toBeNull();
  });

  test('by an outdated client call onUpdateNeeded', async () => {
    const { host, server } = world();
    server.instead = () => problem(409, 'client_old');
    const reasons: string[] = [];
    const db = await connect(host, { onUpdateNeeded: ({ reason }) => reasons.push(reason) });
    await until(() => reasons.length > 0);
    expect(reasons).toEqual(['client-old']);
    expect(db.sync.status.error).toMatchObject({ name: 'UpdateNeededError' });
  });
});

describe('control', () => {
  test('pause holds everything back, resume sends it', async () => {
    const { host, server } = world();
    const db = await connect(host);
    await db.sync.now();
    db.sync.pause();
    await until(() => db.sync.status.phase === 'paused');
    const requests = host.network.requests.length;
    await db.mutate.addCity({ id: 'a', name: 'A' }).durable;
    server.write([{ op: 'create', table: 'cities', id: 'x', set: { name: 'X', country: 'SE' } }]);
    await expect(db.sync.waitForSync({ timeoutMs: 60 })).rejects.toMatchObject({ code: 'timeout' });
    expect(host.network.requests.length).toBe(requests);
    db.sync.resume();
    await db.sync.waitForSync();
    expect(db.cities.count()).toBe(2);
  });

  test('the status is one object until something in it changes', async () => {
    const { host } = world();
    const db = await connect(host);
    const seen = new Set([db.sync.status]);
    const heard = vi.fn((status) => expect(status).toBe(db.sync.status));
    db.sync.subscribe(heard);
    await db.sync.now();
    seen.add(db.sync.status);
    expect(Object.isFrozen(db.sync.status)).toBe(true);
    expect(
      heard.mock.calls.every(([status], i, all) => i === 0 || status !== all[i - 1]?.[0]),
    ).toBe(true);
    expect(seen.size).toBe(2);
  });

  test('waiting can be aborted', async () => {
    const { host } = world();
    host.network.online = false;
    const db = await connect(host);
    const stop = new AbortController();
    const waiting = db.sync.waitForSync({ signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    const closing = db.sync.waitForSync();
    closing.catch(() => {});
    await db.close();
    await expect(closing).rejects.toMatchObject({ name: 'ClosedError' });
    await expect(db.sync.now()).rejects.toMatchObject({ name: 'ClosedError' });
    await expect(db.sync.waitForSync()).rejects.toMatchObject({ name: 'ClosedError' });
    expect(() => db.sync.pause()).toThrow(expect.objectContaining({ name: 'ClosedError' }));
  });
});

describe('the push worker', () => {
  test('that hangs is replaced by another window’s', async () => {
    const { host, server } = world();
    const [one, two] = [await connect(host), await connect(host.window())];
    await one.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
    server.instead = () => {
      // Frozen in the middle of a push: it keeps its lock and its lease.
      for (const db of [one, two]) if (db.sync.status.role === 'holder') freezeWorker(db, true);
      server.instead = null;
      return null;
    };
    const mutation = one.mutate.addCity({ id: 'b', name: 'B' });
    await mutation.confirmed;
    expect(
      server.log.flatMap(({ update }) => update.ops).filter(({ id }) => id === 'b'),
    ).toHaveLength(1);
    for (const db of [one, two]) freezeWorker(db, false);
    await until(() => [one, two].every((db) => db.cities.count() === 2));
  });

  test('of a frozen window releases its lease, and comes back', async () => {
    const { host, server } = world();
    const db = await connect(host);
    await db.mutate.addCity({ id: 'a', name: 'A' }).confirmed;
    host.page.send({ type: 'pagehide', persisted: true });
    host.page.send({ type: 'freeze' });
    const other = await connect(host.window());
    await other.mutate.addCity({ id: 'b', name: 'B' }).confirmed;
    host.page.send({ type: 'resume' });
    host.page.send({ type: 'pageshow', persisted: true });
    await until(() => db.cities.count() === 2);
    await db.mutate.addCity({ id: 'c', name: 'C' }).confirmed;
    expect(server.head).toBe(3);
  });
});
