// Goal: what a restored server takes back stands under the rules of its present release, and only while the log says what was
// changed since. Method: a real server whose database is really set back, and which is then started under a newer release with
// a rule, another name and one prop less, or with a log of one second.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Device, storedOn, taken } from './support/lost-history.ts';
import { RestorableServer } from './support/restorable.ts';
import type { Json } from './support/server.ts';

const kPackage = new URL('../../dist/index.js', import.meta.url).href;
const release = (version: number, props: string, more = '', rule = '') => `
import { schema, t, table } from ${JSON.stringify(kPackage)};
export default schema(
  { cities: table({ name: t.string(), ${props} }, { id: t.string(), ${rule} }) },
  { version: ${version}, ${more} },
);`;
const first = release(
  1,
  'population: t.number().optional(), country: t.string().optional(), parent: t.ref("cities", { onDelete: "cascade" }).optional()',
);
const second = release(
  2,
  'people: t.number().optional(), parent: t.ref("cities", { onDelete: "cascade" }).optional()',
  "accepts: [1], migrations: { 2: (m) => m.table('cities').renameProp('population', 'people') }",
  "validate: (city) => (city.name === 'bad' ? 'No city is bad.' : undefined)",
);

let server: RestorableServer;
let ada: Device;
beforeEach(async () => {
  server = new RestorableServer();
  server.release(null, first);
  await server.start();
  ada = new Device(server);
  for (const id of ['a', 'b']) await ada.set(id, { name: id, population: 1 }, 'create');
  await ada.sync();
});
afterEach(() => server.remove());

const remove = (device: Device, id: string) =>
  device.wire.push([{ op: 'delete', table: 'cities', id, realm: 'public' }]);

test('the newest release judges what an earlier one offers, under its names', async () => {
  const restore = await server.backUp();
  await ada.set('a', { population: 5, country: 'x' });
  await ada.set('b', { name: 'bad' });
  await ada.set('c', { name: 'c', population: 7 }, 'create');
  await ada.sync();
  server.release(null, second);
  await restore();
  const answer = await ada.offer(['a', 'b', 'c']);
  expect(taken(answer)).toEqual([2, ['1 rule']]);
  expect((answer.body.refused as Json[])[0]?.detail).toContain('No city is bad.');
  const { body } = await new Device(server, 'bo').wire.pull({
    schema: 2,
    scopes: [{ table: 'cities', where: ['true'], filled: false }],
  });
  const rows = (body.changes as Json[]).map(({ id, set }) => [id, set]);
  expect(Object.fromEntries(rows)).toMatchObject({
    a: { name: 'a', people: 5 },
    b: { name: 'b', people: 1 },
    c: { name: 'c', people: 7 },
  });
  expect(await storedOn(server)).toMatchObject({ a: { population: 5 }, c: { population: 7 } });
});

test('a row whose parent is not there is refused, until that is given back', async () => {
  await ada.set('p', { name: 'p' }, 'create');
  await remove(ada, 'p');
  const restore = await server.backUp();
  await ada.set('p', { name: 'p' }, 'create');
  await ada.set('c', { name: 'c', parent: 'p' }, 'create');
  await ada.set('d', { name: 'd', parent: 'b' }, 'create');
  await ada.set('q', { name: 'q' }, 'create');
  await ada.set('e', { name: 'e', parent: 'q' }, 'create');
  await ada.sync();
  await restore();
  await remove(new Device(server, 'bo'), 'b');
  // The parents are offered later, by another device.
  const refused = ['0 parent_deleted', '1 parent_deleted', '2 parent_deleted'];
  expect(taken(await ada.offer(['c', 'd', 'e']))).toEqual([0, refused]);
  expect(taken(await ada.offer(['p', 'q', 'c', 'd', 'e']))).toEqual([4, ['3 parent_deleted']]);
  expect(Object.keys(await storedOn(server)).sort()).toEqual(['a', 'c', 'e', 'p', 'q']);
});

test('nothing is taken once the log is forgotten above the common point', async () => {
  const restore = await server.backUp();
  await ada.set('a', { population: 5 });
  await ada.sync();
  await restore();
  expect((await ada.offer([])).body).toMatchObject({ common: 2 });
  await new Device(server, 'bo').set('b', { population: 9 });
  await server.restart(['--retention', '1']);
  await expect
    .poll(async () => (await ada.offer([])).body.nothing, { timeout: 60_000 })
    .toBe('history_lost');
  expect(taken(await ada.offer(['a']))).toEqual([0, []]);
  expect(await storedOn(server)).toMatchObject({ a: { population: 1 }, b: { population: 9 } });
});
