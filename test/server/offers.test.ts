// Goal: a restored server takes back what clients have of the history that it has lost, in every realm: the latest state of each
// row, prop by prop, but for what was written or deleted since. Method: requests of clients to a real server whose database is
// really set back.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RestorableServer } from './support/restorable.ts';
import { testSchema } from './support/schemas.ts';
import { type Json, post, WireClient } from './support/server.ts';

const realm = 'public';
let server: RestorableServer;
let restore: () => Promise<void>;
beforeEach(async () => {
  server = new RestorableServer(testSchema);
  await server.start();
});
afterEach(() => server.remove());

interface Row extends Json {
  readonly modifiedAt: number;
}

/** A client that knows rows of the history that will be lost. */
class Device {
  readonly wire: WireClient;
  readonly rows = new Map<string, Row>();
  constructor(user = 'ada') {
    this.wire = new WireClient(server.url, user);
    // It has another port after each start.
    Object.defineProperty(this.wire, 'url', { get: () => server.url });
    this.wire.scopes = [{ table: 'cities', where: ['true'], filled: false }];
  }

  async sync(): Promise<void> {
    for (;;) {
      const { status, body } = await this.wire.pull();
      expect(status).toBe(200);
      for (const change of body.changes as Json[]) {
        const key = `${String(change.realm)} ${String(change.id)}`;
        if (change.change === 'delete') this.rows.delete(key);
        else {
          const set = { ...this.rows.get(key), ...(change.set as Json) };
          this.rows.set(key, { ...set, modifiedAt: change.modifiedAt as number });
        }
      }
      this.wire.cursors = { ...this.wire.cursors, ...(body.cursors as Record<string, string>) };
      if (body.more !== true) return;
    }
  }

  set(id: string, set: Json, op = 'update', of = realm): Promise<Json> {
    return this.wire.push([{ op, table: 'cities', id, realm: of, set }]);
  }

  /** Offers these rows as it knows them. */
  offer(ids: readonly string[], { of = realm, ...more }: Json & { of?: string } = {}) {
    const known = ids.map((id) => this.rows.get(`${of} ${id}`) as Row);
    const body = {
      ...{ client: this.wire.id, schema: 1, realm: of, cursor: this.wire.cursors[of] ?? '0@0' },
      ops: known.map(({ modifiedAt: _, ...set }, i) => ({
        ...{ op: 'offer', table: 'cities', id: ids[i], realm: of },
        set: { country: null, population: null, ...set },
      })),
      times: known.map(({ modifiedAt }) => modifiedAt),
      ...more,
    };
    return post(server.url, '/v1/offer', body, this.wire.headers);
  }
}

/** What another client, who knows nothing, is sent. */
async function stored(of = realm, user = 'bo'): Promise<Record<string, Json>> {
  const device = new Device(user);
  await device.sync();
  const rows = [...device.rows].filter(([key]) => key.startsWith(`${of} `));
  return Object.fromEntries(
    rows.map(([key, { modifiedAt: _, ...row }]) => [key.slice(of.length + 1), row]),
  );
}

const taken = ({ body }: { body: Json }) => [
  body.taken,
  (body.refused as Json[]).map(({ op, code }) => `${String(op)} ${String(code)}`),
];

/** A device that knows `rows` and more, of a history in which they were made before the backup and changed after it. */
async function lostHistory(
  after: (device: Device) => Promise<void>,
  user = 'ada',
): Promise<Device> {
  const device = new Device(user);
  for (const id of ['a', 'b']) await device.set(id, { name: id, population: 1 }, 'create');
  await device.sync();
  restore = await server.backUp();
  await after(device);
  await device.sync();
  return device;
}

test('what was made and changed after the backup comes back, and is new to all', async () => {
  const device = await lostHistory(async (ada) => {
    await ada.set('a', { name: 'lost', country: 'x' });
    await ada.set('c', { name: 'made' }, 'create');
  });
  await restore();
  expect(await stored()).toEqual({
    a: { name: 'a', population: 1 },
    b: { name: 'b', population: 1 },
  });
  const first = await device.offer([]);
  expect(first.body).toMatchObject({ common: 2, done: 0, taken: 0, refused: [] });
  expect(taken(await device.offer(['a', 'c']))).toEqual([2, []]);
  const expected = {
    a: { name: 'lost', population: 1, country: 'x' },
    b: { name: 'b', population: 1 },
    c: { name: 'made' },
  };
  expect(await stored()).toMatchObject(expected);
  // All of it is one entry, and the second time nothing.
  expect(taken(await device.offer(['a', 'c', 'b']))).toEqual([0, []]);
  const { body } = await new Device('bo').wire.pull();
  expect((body.cursors as Json)[realm]).toMatch(/^3@/);
});

test('what others have written since the restore stays, prop by prop', async () => {
  const device = await lostHistory(async (ada) => {
    await ada.set('a', { name: 'lost', population: 2 });
    await ada.set('b', { name: 'lost' });
    await ada.set('c', { name: 'made' }, 'create');
  });
  await restore();
  const bo = new Device('bo');
  await bo.set('a', { population: 9, country: 'y' });
  await bo.wire.push([{ op: 'delete', table: 'cities', id: 'b', realm }]);
  await bo.set('c', { name: 'another' }, 'create');
  const answer = await device.offer(['a', 'b', 'c']);
  expect(taken(answer)).toEqual([1, ['0 overwritten', '1 row_deleted', '2 overwritten']]);
  const props = (answer.body.refused as Json[]).map((refused) => refused.props);
  expect(props).toEqual([['country', 'population'], undefined, ['name']]);
  expect(await stored()).toEqual({
    a: { name: 'lost', population: 9, country: 'y' },
    c: { name: 'another' },
  });
});

test('a delete comes back, and no earlier state of its row after it', async () => {
  let early = new Device();
  const device = await lostHistory(async (ada) => {
    await ada.set('c', { name: 'made' }, 'create');
    early = new Device();
    await early.sync();
    for (const id of ['a', 'b', 'c'])
      await ada.wire.push([{ op: 'delete', table: 'cities', id, realm }]);
  });
  await restore();
  const bo = new Device('bo');
  await bo.set('b', { population: 9 });
  const [, at] = String(device.wire.cursors[realm]).split('@');
  const deletes = (ids: readonly string[]) => ({
    ops: ids.map((id) => ({ op: 'delete', table: 'cities', id, realm })),
    times: ids.map(() => Number(at)),
  });
  expect(taken(await device.offer([], deletes(['a', 'b', 'c'])))).toEqual([1, ['1 overwritten']]);
  const kept = { b: { name: 'b', population: 9 } };
  expect(await stored()).toEqual(kept);
  expect(taken(await early.offer(['a', 'b', 'c']))).toEqual([0, ['1 overwritten']]);
  expect(await stored()).toEqual(kept);
  // It changes nothing the second time, and who has the row before it loses it.
  expect(taken(await device.offer([], deletes(['a', 'b', 'c'])))).toEqual([0, ['1 overwritten']]);
  await bo.sync();
  expect([...bo.rows.keys()]).toEqual([`${realm} b`]);
});

describe('of several devices', () => {
  const older = { name: 'older', population: 1 };
  const newer = { name: 'newer', population: 2 };
  let devices: Record<string, Device> = {};
  beforeEach(async () => {
    const first = await lostHistory(async (ada) => {
      await ada.set('a', { name: 'older' });
      await ada.set('c', { name: 'older' }, 'create');
    });
    const second = new Device('bo');
    await second.set('a', { name: 'newer', population: 2 });
    await second.set('c', { name: 'newer', population: 2 });
    await second.sync();
    const third = new Device('cy');
    await third.set('a', { name: 'a', population: 1 });
    await third.sync();
    devices = { older: first, newer: second, newest: third };
    await restore();
  });

  test.each([
    ['older', 'newer'],
    ['newer', 'older'],
  ])('the latest state wins: %s, %s', async (...order) => {
    for (const name of order) expect((await devices[name]?.offer(['a', 'c']))?.status).toBe(200);
    expect(await stored()).toMatchObject({ a: newer, c: newer });
    expect(older).not.toEqual(newer);
  });

  test('a value that was set back is not overwritten by an older one', async () => {
    for (const name of ['older', 'newest']) await devices[name]?.offer(['a']);
    expect((await stored()).a).toMatchObject({ name: 'a', population: 1 });
  });

  test('at equal times, what is null is filled in', async () => {
    const device = devices.newer as Device;
    const at = device.rows.get(`${realm} c`)?.modifiedAt;
    const known = (set: Json) => [
      { op: 'offer', table: 'cities', id: 'c', realm, set: { name: 'newer', ...set } },
    ];
    expect(taken(await device.offer([], { ops: known({}), times: [at] }))).toEqual([1, []]);
    const more = known({ name: 'not taken', country: 'z' });
    expect(taken(await device.offer([], { ops: more, times: [at] }))).toEqual([1, []]);
    expect((await stored()).c).toEqual({ name: 'newer', country: 'z' });
  });
});

test('each row is judged by itself, by the rules of any write', async () => {
  const device = await lostHistory(async (ada) => {
    await ada.set('c', { name: 'c', code: 'same' }, 'create');
    await ada.set('d', { name: 'd' }, 'create');
  });
  await restore();
  await new Device('bo').set('e', { name: 'e', code: 'same' }, 'create');
  const wrong = { op: 'offer', table: 'cities', id: 'w', realm, set: { name: 5 } };
  const { ops, times } = {
    ops: [
      { op: 'offer', table: 'cities', id: 'c', realm, set: { name: 'c', code: 'same' } },
      wrong,
      { ...wrong, table: 'towns' },
      { ...wrong, realm: 'user:ada', set: { name: 'x' } },
      { ...wrong, op: 'create', set: { name: 'x' } },
      { ...wrong, set: { country: 'x' } },
      { op: 'offer', table: 'cities', id: 'd', realm, set: { name: 'd' } },
    ],
    times: [5, 5, 5, 5, 5, 5, 5],
  };
  expect(taken(await device.offer([], { ops, times }))).toEqual([
    1,
    ['0 unique', '1 wrong_type', '2 unknown_table', '3 invalid', '4 invalid', '5 missing_prop'],
  ]);
  expect(Object.keys(await stored()).sort()).toEqual(['a', 'b', 'd', 'e']);
});

test('who may not write gives nothing back, and of a hidden realm learns nothing', async () => {
  const device = await lostHistory((ada) => ada.set('a', { name: 'lost' }).then(() => {}));
  await restore();
  const hidden = { of: 'user:bo', cursor: '5@5' };
  const unknown = { of: 'user:nobody', cursor: '5@5' };
  await new Device('bo').set('own', { name: 'own' }, 'create', 'user:bo');
  const answers = [await device.offer([], hidden), await device.offer([], unknown)];
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    expect(body).toEqual({
      time: 0,
      common: 0,
      nothing: 'forbidden',
      done: 0,
      taken: 0,
      refused: [],
    });
  }
});

test('a realm of which the backup has nothing is taken back on demand only', async () => {
  const of = 'user:ada';
  const device = await lostHistory((ada) =>
    ada.set('own', { name: 'own' }, 'create', of).then(() => {}),
  );
  await restore();
  const { body } = await device.offer(['own'], { of });
  expect(body).toMatchObject({ common: 0, nothing: 'history_lost', taken: 0 });
  expect(await stored(of, 'ada')).toEqual({});
  await server.restart(['--take-back']);
  expect(taken(await device.offer(['own'], { of }))).toEqual([1, []]);
  expect(await stored(of, 'ada')).toMatchObject({ own: { name: 'own' } });
});

test('a bad request is answered by its fault, and 1,000 rows are none', async () => {
  const op = { op: 'offer', table: 'cities', id: 'n', realm, set: { name: 'n' } };
  const many = (count: number) => ({
    ops: Array.from({ length: count }, (_, i) => ({ ...op, id: `n${i}` })),
    times: Array.from({ length: count }, () => 5),
  });
  const device = await lostHistory((ada) => ada.set('a', { name: 'lost' }).then(() => {}));
  await restore();
  for (const [wrong, status, code] of [
    [{ realm: 5 }, 400, 'bad_request'],
    [{ cursor: 'x' }, 400, 'bad_request'],
    [{ cursor: '1@1@1' }, 400, 'bad_request'],
    [{ ops: {} }, 400, 'bad_request'],
    [{ ops: [op], times: [] }, 400, 'bad_request'],
    [{ ops: [op], times: [1.5] }, 400, 'bad_request'],
    [{ ops: [op], times: [-1] }, 400, 'bad_request'],
    [{ client: 'x' }, 400, 'bad_request'],
    [{ schema: 2 }, 409, 'server-old'],
    [many(1_001), 422, 'limit'],
  ] as const) {
    const answer = await device.offer([], wrong);
    expect([answer.status, answer.body.code], JSON.stringify(wrong).slice(0, 100)).toEqual([
      status,
      code,
    ]);
  }
  expect(taken(await device.offer([], many(1_000)))).toEqual([1_000, []]);
  expect(Object.keys(await stored())).toHaveLength(1_002);
});

test('the operator sees how much has come back, and from how many', async () => {
  const device = await lostHistory((ada) => ada.set('a', { name: 'lost' }).then(() => {}));
  await restore();
  await device.offer(['a', 'b']);
  expect(server.output()).toMatch(
    /restored to an earlier state\. Clients give back .*: 1 rows of 1 realms so far, by 1 clients\./,
  );
  const metrics = await fetch(`${server.url}/v1/metrics`).then((response) => response.text());
  expect(metrics).toContain('skerry_restored_rows_total 1\n');
});

test('an increment that may be in what was given back does not count twice', async () => {
  const device = await lostHistory(async (ada) => {
    await ada.set('a', { population: 2 });
  });
  const restored = Number(String(device.wire.cursors[realm]).split('@')[1]);
  await restore();
  expect(taken(await device.offer(['a']))).toEqual([1, []]);
  await device.sync();
  const given = Number(String(device.wire.cursors[realm]).split('@')[1]);
  expect(given).toBeGreaterThan(restored);
  const inc = { op: 'inc', table: 'cities', id: 'a', realm, add: { population: 1 } };
  const set = { op: 'update', table: 'cities', id: 'a', realm, set: { name: 'again' } };
  const marked = (mark: Json) => (update: Json) => ({
    actions: (update.actions as Json[]).map((action) => ({ ...action, ...mark })),
  });
  const early = { at: given - 1 };
  const pushes: [string, (update: Json) => Json, number | null | undefined, Json, boolean][] = [
    ['never sent', () => ({}), undefined, inc, true],
    ['sent before', () => ({}), given - 1, inc, false],
    ['sent before, at a time that is none', () => ({}), null, inc, false],
    ['sent after', () => ({}), given, inc, true],
    ['a value, sent before', () => ({}), given - 1, set, true],
    ['stored twice', marked({ again: true }), undefined, inc, false],
    ['made elsewhere before', marked({ replayed: true, ...early }), undefined, inc, false],
    ['made elsewhere after', marked({ replayed: true, at: given + 1 }), undefined, inc, true],
  ];
  let expected = 2;
  for (const [name, more, at, op, isTaken] of pushes) {
    const wire = new WireClient(server.url, 'ada');
    const made = wire.update([op]);
    const update = { ...made, ...more(made) };
    for (const time of [1, 2]) {
      const sent = at === undefined ? {} : { sent: { [made.id as string]: at } };
      const { body } = await wire.send([update], sent);
      const [result] = body.results as Json[];
      const codes = ((result?.rejected ?? []) as Json[]).map(({ code, actions }) => [
        code,
        actions,
      ]);
      const action = (made.actions as Json[])[0]?.id;
      expect([result?.status, codes], name).toEqual(
        isTaken
          ? [time === 1 ? 'applied' : 'duplicate', []]
          : ['rejected', [['outcome_unknown', [action]]]],
      );
    }
    if (isTaken && op === inc) expected += 1;
  }
  // Nothing was given back to the other realm.
  const elsewhere = new WireClient(server.url, 'ada');
  const other = {
    op: 'create',
    table: 'cities',
    id: 'x',
    realm: 'user:ada',
    set: { name: 'x', population: 0 },
  };
  const made = elsewhere.update([other, { ...inc, id: 'x', realm: 'user:ada' }]);
  const answer = await elsewhere.send([made], { sent: { [made.id as string]: 0 } });
  expect((answer.body.results as Json[])[0]).toMatchObject({ status: 'applied' });
  expect(await stored()).toMatchObject({ a: { population: expected, name: 'again' } });
  await server.restart([]);
  const wire = new WireClient(server.url, 'ada');
  const late = wire.update([inc]);
  const again = await wire.send([late], { sent: { [late.id as string]: given - 1 } });
  expect((again.body.results as Json[])[0]?.status).toBe('rejected');
});
