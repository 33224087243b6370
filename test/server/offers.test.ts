// Goal: a restored server takes back what clients have of the history that it has lost, in every realm: the latest state of each
// row, prop by prop, but for what was written or deleted since. Method: requests of clients to a real server whose database is
// really set back.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Device, storedOn, taken } from './support/lost-history.ts';
import { RestorableServer } from './support/restorable.ts';
import { testSchema } from './support/schemas.ts';
import { type Json, WireClient } from './support/server.ts';

const realm = 'public';
let server: RestorableServer;
let restore: () => Promise<void>;
beforeEach(async () => {
  server = new RestorableServer(testSchema);
  await server.start();
});
afterEach(() => server.remove());

/** A device that knows `rows` and more, of a history in which they were made before the backup and changed after it. */
async function lostHistory(
  after: (device: Device) => Promise<void>,
  user = 'ada',
): Promise<Device> {
  const device = new Device(server, user);
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
  expect(await storedOn(server)).toEqual({
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
  expect(await storedOn(server)).toMatchObject(expected);
  // All of it is one entry, and the second time nothing.
  expect(taken(await device.offer(['a', 'c', 'b']))).toEqual([0, []]);
  const { body } = await new Device(server, 'bo').wire.pull();
  expect((body.cursors as Json)[realm]).toMatch(/^3@/);
});

test('what others have written since the restore stays, prop by prop', async () => {
  const device = await lostHistory(async (ada) => {
    await ada.set('a', { name: 'lost', population: 2 });
    await ada.set('b', { name: 'lost' });
    await ada.set('c', { name: 'made' }, 'create');
  });
  await restore();
  const bo = new Device(server, 'bo');
  await bo.set('a', { population: 9, country: 'y' });
  await bo.wire.push([{ op: 'delete', table: 'cities', id: 'b', realm }]);
  await bo.set('c', { name: 'another' }, 'create');
  const answer = await device.offer(['a', 'b', 'c']);
  expect(taken(answer)).toEqual([1, ['0 overwritten', '1 row_deleted', '2 overwritten']]);
  const props = (answer.body.refused as Json[]).map((refused) => refused.props);
  expect(props).toEqual([['country', 'population'], undefined, ['name']]);
  expect(await storedOn(server)).toEqual({
    a: { name: 'lost', population: 9, country: 'y' },
    c: { name: 'another' },
  });
});

test('a delete comes back, and no earlier state of its row after it', async () => {
  let early = new Device(server);
  const device = await lostHistory(async (ada) => {
    await ada.set('c', { name: 'made' }, 'create');
    early = new Device(server);
    await early.sync();
    for (const id of ['a', 'b', 'c'])
      await ada.wire.push([{ op: 'delete', table: 'cities', id, realm }]);
  });
  await restore();
  const bo = new Device(server, 'bo');
  await bo.set('b', { population: 9 });
  const [, at] = String(device.wire.cursors[realm]).split('@');
  const deletes = (ids: readonly string[]) => ({
    ops: ids.map((id) => ({ op: 'delete', table: 'cities', id, realm })),
    times: ids.map(() => Number(at)),
  });
  expect(taken(await device.offer([], deletes(['a', 'b', 'c'])))).toEqual([1, ['1 overwritten']]);
  const kept = { b: { name: 'b', population: 9 } };
  expect(await storedOn(server)).toEqual(kept);
  expect(taken(await early.offer(['a', 'b', 'c']))).toEqual([0, ['1 overwritten']]);
  expect(await storedOn(server)).toEqual(kept);
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
    const second = new Device(server, 'bo');
    await second.set('a', { name: 'newer', population: 2 });
    await second.set('c', { name: 'newer', population: 2 });
    await second.sync();
    const third = new Device(server, 'cy');
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
    expect(await storedOn(server)).toMatchObject({ a: newer, c: newer });
    expect(older).not.toEqual(newer);
  });

  test('a value that was set back is not overwritten by an older one', async () => {
    for (const name of ['older', 'newest']) await devices[name]?.offer(['a']);
    expect((await storedOn(server)).a).toMatchObject({ name: 'a', population: 1 });
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
    expect((await storedOn(server)).c).toEqual({ name: 'newer', country: 'z' });
  });
});

test('each row is judged by itself, by the rules of any write', async () => {
  const device = await lostHistory(async (ada) => {
    await ada.set('c', { name: 'c', code: 'same' }, 'create');
    await ada.set('d', { name: 'd' }, 'create');
  });
  await restore();
  await new Device(server, 'bo').set('e', { name: 'e', code: 'same' }, 'create');
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
  expect(Object.keys(await storedOn(server)).sort()).toEqual(['a', 'b', 'd', 'e']);
});

test('who may not write gives nothing back, and of a hidden realm learns nothing', async () => {
  const device = await lostHistory((ada) => ada.set('a', { name: 'lost' }).then(() => {}));
  await restore();
  const hidden = { of: 'user:bo', cursor: '5@5' };
  const unknown = { of: 'user:nobody', cursor: '5@5' };
  await new Device(server, 'bo').set('own', { name: 'own' }, 'create', 'user:bo');
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
  expect(await storedOn(server, of, 'ada')).toEqual({});
  await server.restart(['--take-back']);
  expect(taken(await device.offer(['own'], { of }))).toEqual([1, []]);
  expect(await storedOn(server, of, 'ada')).toMatchObject({ own: { name: 'own' } });
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
    [{ given: '1@1' }, 400, 'bad_request'],
    [{ given: ['x'] }, 400, 'bad_request'],
    [{ given: Array.from({ length: 17 }, () => '1@1') }, 422, 'limit'],
    [{ given: Array.from({ length: 16 }, () => '1@1') }, 503, 'busy'],
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
  expect(Object.keys(await storedOn(server))).toHaveLength(1_002);
});

test('a server that is restored once more says what it lacks of what was given back', async () => {
  const device = await lostHistory(async (ada) => {
    await ada.set('a', { name: 'lost' });
    await ada.set('c', { name: 'made' }, 'create');
  });
  await restore();
  const reset = async (given: unknown) => {
    const { status, body } = await device.wire.pull({
      ...{ cursors: {}, lost: [realm], given: { [realm]: given } },
    });
    expect(status).toBe(200);
    return body.reset ?? [];
  };
  const { head } = (await device.offer([])).body;
  const first = await device.offer(['a'], { given: [head] });
  const second = await device.offer(['c'], { given: [first.body.head] });
  expect([first, second].map(({ body }) => String(body.head).split('@')[0])).toEqual(['3', '4']);
  expect(second.body.head).toBe(`${String(second.body.revision)}@${String(second.body.at)}`);
  // What changes nothing has a place, too.
  const again = await device.offer(['a'], { given: [first.body.head, second.body.head] });
  expect(again.body).toMatchObject({ taken: 0, head: second.body.head });
  expect(await reset(second.body.head)).toEqual([]);
  await restore();
  expect(await reset(head)).toEqual([]);
  for (const lost of [first, second]) expect(await reset(lost.body.head)).toEqual([realm]);
  const refused = await device.offer(['c'], { given: [head, first.body.head] });
  expect([refused.status, refused.body.code]).toEqual([503, 'busy']);
  expect(Object.keys(await storedOn(server))).toEqual(['a', 'b']);
  // Others have been as far as that since.
  for (const name of ['x', 'y']) await device.set('b', { name });
  for (const lost of [first, second]) expect(await reset(lost.body.head)).toEqual([realm]);
  expect(taken(await device.offer(['a', 'c'], { given: [head] }))).toEqual([2, []]);
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
  expect(await storedOn(server)).toMatchObject({ a: { population: expected, name: 'again' } });
  await server.restart([]);
  const wire = new WireClient(server.url, 'ada');
  const late = wire.update([inc]);
  const again = await wire.send([late], { sent: { [late.id as string]: given - 1 } });
  expect((again.body.results as Json[])[0]?.status).toBe('rejected');
});
