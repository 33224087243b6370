// Goal: a stream that the server cannot fold is set apart and named; it stops neither the process, nor the next start, nor other
// streams; and where its state is at its limit, nothing more is appended. Method: real servers whose module's reducers grow and eat.

import { expect, test } from 'vitest';
import { append, appending, pull } from './support/appending.ts';
import { invite } from './support/memberships.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const exports = (version: number) => `export const reducers = {
  'list*': { version: ${version}, initialState: [], migrate: () => [], reducer: (list, item) => ${
    version === 1 ? '[...list, item]' : '[...list, item].slice(-1)'
  } },
  eats: { initialState: [], reducer: (list) => { for (;;) list.push(new Array(1e6).fill(list.length)); } },
};`;
let version = 1;
const server = new SharedServer(() => ({
  exports: exports(version),
  args: ['--dev', '--actions-per-snapshot', '2'],
}));
const kMegabyte = 'x'.repeat(1_000_000);

/** The code of the refusal of an append, or its status. */
async function outcome(client: WireClient, realm: string, stream: string): Promise<unknown> {
  const { body } = await client.send([appending(client, realm, stream, ['one more'])]);
  const [result] = body.results as Json[];
  if (result?.status !== 'rejected') return result?.status;
  const [first] = result.rejected as Json[];
  return `${first?.code}: ${first?.detail}`;
}

/** Resolves when a newcomer is told of a snapshot of the stream. */
async function snapshotOf(user: string, stream: string, of: number): Promise<void> {
  const isTold = async () => {
    const body = await pull(new WireClient(server.url, user), [
      { stream, version: of, filled: {} },
    ]);
    return (body.streams as Json[]).some(({ snapshot }) => snapshot !== undefined);
  };
  await expect.poll(isTold, { timeout: 20_000 }).toBe(true);
}

const named = (stream: string) =>
  server.output().split(`",\\"${stream}\\"]`).length +
  server.output().split(`,"${stream}"]`).length -
  2;

test('a state at its limit takes no more, until another version takes less', async () => {
  const anna = server.client('anna');
  const [realm] = ['user:anna'];
  for (let sent = 0; sent < 34; sent++) await append(anna, realm, 'list', kMegabyte);
  await append(anna, realm, 'list', 1, 2);
  const last = () => outcome(server.client('anna'), realm, 'list');
  await expect.poll(last, { timeout: 60_000 }).toContain('limit: the state of the stream "list"');
  // The stream, and nothing else.
  await append(server.client('anna'), realm, 'list of others', 1, 2, 3);
  await snapshotOf('anna', 'list of others', 1);
  await append(server.client('bo'), 'user:bo', 'list', 1, 2, 3);
  await snapshotOf('bo', 'list', 1);
  expect(named('list')).toBe(1);
  // It is not folded again by the next start, and stays as it is.
  await server.restart();
  await append(server.client('bo'), 'user:bo', 'list', 4, 5, 6);
  await snapshotOf('bo', 'list', 1);
  expect(await last()).toContain('limit');
  expect(named('list')).toBe(0);
  // Others than those who may read the realm do not learn of it.
  expect(await outcome(server.client('mal'), realm, 'list')).toContain('forbidden');
  version = 2;
  await server.restart();
  await snapshotOf('anna', 'list', 2);
  expect(await last()).toBe('applied');
}, 180_000);

test('a member of the realm is told that a state is at its limit, a stranger is not', async () => {
  version = 1;
  await server.restart();
  const [realm, eve] = [uuid7(), server.client('eve')];
  const founded = await eve.push([invite(realm, 'eve', 'owner'), invite(realm, 'fay', 'writer')]);
  expect(founded.status).toBe('applied');
  for (let sent = 0; sent < 34; sent++) await append(eve, realm, 'list/2', kMegabyte);
  await append(eve, realm, 'list/2', 1, 2);
  const by = (user: string) => outcome(server.client(user), realm, 'list/2');
  await expect.poll(() => by('fay'), { timeout: 60_000 }).toContain('limit');
  expect(await by('mal')).toBe('forbidden: no such realm, or no right to write in it');
}, 120_000);

test('a reducer that eats memory stops its stream only', async () => {
  const gus = server.client('gus');
  await append(gus, 'user:gus', 'eats', 1, 2, 3);
  await expect.poll(() => named('eats'), { timeout: 60_000 }).toBe(1);
  await append(gus, 'user:gus', 'list', 1, 2, 3);
  await snapshotOf('gus', 'list', 1);
  // Its clients fold it by themselves.
  expect(await outcome(server.client('gus'), 'user:gus', 'eats')).toBe('applied');
  await server.restart();
  await append(server.client('gus'), 'user:gus', 'list', 4, 5, 6);
  await snapshotOf('gus', 'list', 1);
  expect(named('eats')).toBe(0);
}, 120_000);
