/**
 * `skerry/inspector`: the feed of what the core knows, its way of actions, its bounds, and that nothing is collected without it. Method: windows
 * and workers in memory, with a server in memory; the same with a browser is in test/browser/inspector.test.ts.
 */
import { http } from 'skerry';
import {
  type InspectedAction,
  type InspectorView,
  inspect,
  inspectorLimits,
} from 'skerry/inspector';
import { memory } from 'skerry/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { DatabaseCore } from '../../js/api/database-core.ts';
import { inspected as inspectedBy } from '../../js/api/inspected.ts';
import { Actions } from '../../js/inspector/actions.ts';
import { Requests } from '../../js/inspector/requests.ts';
import { Ring } from '../../js/inspector/ring.ts';
import { fresh } from './support.ts';
import { connect, world } from './sync-world.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});
function inspected(db: Parameters<typeof inspect>[0]) {
  const inspector = inspect(db);
  closing.push(() => inspector.close());
  return inspector;
}
type Opened = ReturnType<typeof inspected>;

/** Resolves with the first view for which it holds. */
async function viewed(of: Opened, holds: (view: InspectorView) => boolean): Promise<InspectorView> {
  await expect
    .poll(async () => holds(await of.refresh()), { message: String(holds), interval: 10 })
    .toBe(true);
  return of.view;
}
const stepsOf = ({ steps }: Pick<InspectedAction, 'steps'>) => steps.map(({ is }) => is);
const actionOf = (view: InspectorView, id: string) => view.actions.find((one) => one.id === id);

describe('the way of an action', () => {
  test('goes from made to confirmed, with its update and its objects', async () => {
    const { host } = world();
    const db = await connect(host);
    const inspector = inspected(db);
    await db.sync.waitForSync();
    const made = db.mutate.addCity({ id: 'SE-1', name: 'Visby' });
    await made.confirmed;
    const view = await viewed(
      inspector,
      ({ actions }) => actions[0]?.steps.at(-1)?.is === 'confirmed',
    );
    const action = actionOf(view, made.id);
    expect(action).toMatchObject({ name: 'addCity', from: 'this-window', realms: ['public'] });
    expect(action?.objects).toEqual([{ table: 'cities', id: 'SE-1', realm: 'public' }]);
    expect(stepsOf(action as InspectedAction)).toEqual([
      ...['made', 'stored', 'grouped', 'sent', 'received', 'confirmed'],
    ]);
    expect(new Set(action?.steps.map(({ update }) => update)).size).toBe(2);
    expect(action?.steps.at(-1)?.n).toBe(view.clock.storedN);
  });

  test('ends with the code of a refusal', async () => {
    const { host, server } = world();
    server.refuse = ({ id }) => (id === 'SE-2' ? 'forbidden' : null);
    const db = await connect(host);
    const inspector = inspected(db);
    const made = db.mutate.addCity({ id: 'SE-2', name: 'Atlantis' });
    await expect(made.confirmed).rejects.toThrow();
    const view = await viewed(inspector, (one) => one.conflicts.length === 1);
    expect(actionOf(view, made.id)?.steps.at(-1)).toMatchObject({
      ...{ is: 'refused', code: 'forbidden' },
    });
    expect(view.conflicts[0]).toMatchObject({ table: 'cities', key: 'SE-2', code: 'forbidden' });
    expect(view.conflicts[0]?.action?.id).toBe(made.id);
  });

  test('that waits is in the outbox, also from before the inspector was opened', async () => {
    const { host, server } = world();
    server.instead = () => ({ status: 503, body: '' }) as never;
    const db = await connect(host);
    const made = db.mutate.addCity({ id: 'SE-3', name: 'Ystad' });
    await made.durable;
    const view = await viewed(inspected(db), ({ outbox }) => outbox.pendingCount === 1);
    expect(view.outbox.pending[0]).toMatchObject({ id: made.id, name: 'addCity', held: false });
    expect(actionOf(view, made.id)).toMatchObject({ from: 'stored' });
    expect(view.status.pending).toBe(1);
  });

  test('ends where it could not be stored, and was taken back', async () => {
    const host = memory();
    const db = await fresh(host);
    const inspector = inspected(db);
    host.storage.faults.quota = true;
    const made = db.mutate.addCity({ id: 'SE-0', name: 'Too much' });
    await expect(made.durable).rejects.toThrow();
    const view = await inspector.refresh();
    expect(stepsOf(actionOf(view, made.id) as InspectedAction)).toEqual(['made', 'failed']);
    expect(view.log.map(({ is }) => is)).toContain('storage-failed');
  });

  test('of a database without a remote is confirmed at once', async () => {
    const db = await fresh();
    const inspector = inspected(db);
    const made = db.mutate.addCity({ id: 'SE-4', name: 'Mora' });
    const view = await viewed(
      inspector,
      (one) => actionOf(one, made.id)?.steps.at(-1)?.is === 'confirmed',
    );
    expect(view.status.mode).toBe('local');
    expect(view.outbox.pendingCount).toBe(0);
  });
});

describe('the rest of the feed', () => {
  test('has live queries with rows, indexes and times', async () => {
    const db = await fresh();
    const stop = db.cities
      .where('country', '=', 'SE')
      .orderBy('name')
      .limit(3)
      .live()
      .subscribe(() => {});
    db.cities
      .where('name', '=', 'Kiruna')
      .liveCount()
      .subscribe(() => {});
    const inspector = inspected(db);
    await inspector.refresh();
    await db.mutate.addCity({ id: 'SE-5', name: 'Kiruna' }).durable;
    const view = await viewed(inspector, ({ queries }) => queries[0]?.updates === 1);
    expect(view.queries[0]).toMatchObject({
      ...{ table: 'cities', kind: 'rows', rows: 1, indexes: ['country'], limit: 3 },
      ...{ order: ['name asc'], where: ['=', 'country', 'SE'] },
    });
    db.cities.liveFirst().subscribe(() => {});
    stop();
    expect((await inspector.refresh()).queries).toMatchObject([
      { kind: 'count', rows: 1, indexes: [] },
      { kind: 'first', rows: 1, indexes: [], where: null, limit: 1, updates: 0 },
    ]);
  });

  test('is JSON, and has no token in it', async () => {
    const { host, server } = world();
    const token = async () => 'a-secret-token';
    const db = await connect(host, { remote: http('http://server.test/v1', { token }) });
    const inspector = inspected(db);
    await db.mutate.addCity({ id: 'SE-6', name: 'Lund' }).confirmed;
    const view = await viewed(inspector, ({ requests }) => requests.some(({ ms }) => ms !== null));
    expect(server.tokens).toContain('Bearer a-secret-token');
    const text = JSON.stringify(view);
    expect(JSON.parse(text)).toEqual(view);
    expect(text).not.toContain('a-secret-token');
    expect(view.version).toBe(1);
  });

  test('says that a database was closed, and asks for nothing more', async () => {
    const db = await fresh();
    const inspector = inspected(db);
    const views: InspectorView[] = [];
    inspector.subscribe((view) => views.push(view));
    await inspector.refresh();
    await db.close();
    expect(inspector.view.database.closed).toBe('close');
    expect(views.at(-1)).toBe(inspector.view);
    expect(inspector.view.log[0]).toMatchObject({ is: 'closed', detail: 'close' });
    await inspector.refresh();
  });

  test('takes nothing but an open database', () => {
    expect(() => inspect({} as never)).toThrow('inspect() takes what open() has given.');
  });
});

describe('without an inspector', () => {
  test('workers report nothing, and nothing more after the last one is closed', async () => {
    const { host } = world();
    const db = await connect(host);
    const traces: unknown[] = [];
    const channel = host.channels.open('skerry/test/local', (message) => {
      if ((message as { type?: unknown }).type === 'trace') traces.push(message);
    });
    await db.mutate.addCity({ id: 'SE-7', name: 'Umeå' }).confirmed;
    expect(traces).toEqual([]);
    const [one, other] = [inspect(db), inspect(db)];
    await one.refresh();
    one.close();
    await db.mutate.addCity({ id: 'SE-8', name: 'Luleå' }).confirmed;
    await viewed(other, ({ requests }) => requests.some(({ path }) => path === '/push'));
    expect(traces.length).toBeGreaterThan(0);
    other.close();
    // Behind it in the channel.
    await db.mutate.addCity({ id: 'SE-9', name: 'Piteå' }).confirmed;
    traces.length = 0;
    await db.mutate.addCity({ id: 'SE-10', name: 'Boden' }).confirmed;
    expect(traces).toEqual([]);
    const { actions } = other.view;
    await other.refresh();
    expect(other.view.actions).toBe(actions);
    channel.close();
  });

  test('a window notes nothing of its mutations and live queries', async () => {
    const db = await fresh();
    const core = (db as unknown as Record<typeof inspectedBy, DatabaseCore>)[inspectedBy];
    const { lives, mutations } = core.parts;
    const watches = () => [lives.watch, mutations.watch];
    expect(watches()).toEqual([null, null]);
    const inspector = inspect(db);
    expect(watches()).not.toContain(null);
    inspector.close();
    expect(watches()).toEqual([null, null]);
  });

  test('another window that inspects goes on when one closes', async () => {
    const { host } = world();
    const [a, b] = [await connect(host), await connect(host.window())];
    const closed = inspect(a);
    const stays = inspected(b);
    const pushes = ({ requests }: InspectorView) =>
      requests.filter(({ path, ms }) => path === '/push' && ms !== null).length;
    // From here on both know the worker that pushes.
    await a.mutate.addCity({ id: 'SE-11', name: 'Falun' }).confirmed;
    await viewed(stays, (view) => pushes(view) === 1);
    closed.close();
    await a.mutate.addCity({ id: 'SE-12', name: 'Gävle' }).confirmed;
    const view = await viewed(stays, (one) => pushes(one) === 2);
    expect(view.actions[0]).toMatchObject({ name: 'addCity', from: 'another-window' });
  });
});

describe('bounds', () => {
  test('a ring at its limit, and one above', () => {
    const ring = new Ring<number>(3);
    for (const n of [1, 2, 3]) ring.set(String(n), n);
    expect([ring.all(), ring.dropped]).toEqual([[3, 2, 1], 0]);
    ring.set('2', 20);
    expect([ring.all(), ring.dropped]).toEqual([[3, 20, 1], 0]);
    ring.set('4', 4);
    expect([ring.all(), ring.dropped]).toEqual([[4, 3, 20], 1]);
  });

  const record = (n: number) => ({ id: `a${n}`, name: 'add', at: n, realms: [], keys: [] });

  test('actions at the limit, and one above', () => {
    const actions = new Actions('w');
    const { actions: limit } = inspectorLimits;
    const items = Array.from({ length: limit }, (_, n) => ({ record: record(n) }) as never);
    actions.added('w', items, 1);
    expect([actions.all().length, actions.dropped]).toEqual([limit, 0]);
    actions.added('v', [{ record: record(limit) } as never], 1);
    expect([actions.all().length, actions.dropped]).toEqual([limit, 1]);
    expect(actions.all()[0]).toMatchObject({ id: `a${limit}`, from: 'another-window' });
    expect(actions.all().at(-1)?.id).toBe('a1');
  });

  test('requests at the limit, and one above; what has ended replaces what began', () => {
    const requests = new Requests('w');
    const { requests: limit } = inspectorLimits;
    const request = {
      type: 'trace',
      from: 'w',
      at: 1,
      method: 'POST',
      path: '/pull',
      sent: 2,
    } as const;
    const trace = (id: number) => ({ ...request, id });
    for (let id = 0; id < limit; id++) requests.take(trace(id));
    requests.take({ ...trace(0), ms: 12.4, status: 200, received: 7 });
    expect([requests.all().length, requests.dropped]).toEqual([limit, 0]);
    expect(requests.all().at(-1)).toMatchObject({ ms: 12, status: 200, by: 'this-window' });
    requests.take({ ...trace(limit), from: 'service-x' });
    expect([requests.all().length, requests.dropped]).toEqual([limit, 1]);
    expect(requests.all()[0]).toMatchObject({ by: 'service-worker', ms: null });
  });

  test('texts of others, and the objects of an action, are cut', () => {
    const actions = new Actions('w');
    const { objects, letters } = inspectorLimits;
    const keys = Array.from({ length: objects + 1 }, (_, n) => `t\0${n}`);
    actions.added('w', [{ record: { ...record(1), keys } } as never], 1);
    const detail = 'x'.repeat(letters + 1);
    actions.record({ refused: [{ id: 'a1', key: 1, code: 'c', detail }] }, 2);
    const [action] = actions.all();
    expect(action?.objects.length).toBe(objects);
    expect(action?.steps.at(-1)?.detail?.length).toBe(letters);
  });

  test('pending mutations are listed up to a limit, and all are counted', async () => {
    const { host, server } = world();
    server.instead = () => ({ status: 503, body: '' }) as never;
    const db = await connect(host);
    const count = inspectorLimits.pending + 1;
    const made = Array.from({ length: count }, (_, n) =>
      db.mutate.addCity({ id: `C-${n}`, name: `City ${n}` }),
    );
    await Promise.all(made.map(({ durable }) => durable));
    const { outbox } = await inspected(db).refresh();
    expect([outbox.pending.length, outbox.pendingCount]).toEqual([count - 1, count]);
  });
});
