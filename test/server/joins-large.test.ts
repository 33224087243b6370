// Goal: an inner row on which more outer rows depend than an answer can hold is no obstacle: their scope is filled again.
// Method: a document with 20,001 events that gets another owner.

import { expect, test } from 'vitest';
import { inScope, JoinReader, joinSchema, Recorder, texts } from './support/joins.ts';
import { type Json, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const server = new SharedServer({ schema: joinSchema });
const kRealm = 'public';

test('a document with 20,001 events comes to a user, and goes', { timeout: 300_000 }, async () => {
  const user = 'reader';
  const writer = new WireClient(server.url, 'writer');
  const reader = new JoinReader(server.url, user);
  const recorder = new Recorder(server.url, user);
  const [document, small] = [uuid7(), uuid7()];
  const make = (table: string, set: Json, id = uuid7()) => ({
    ...{ op: 'create', table, id, realm: kRealm },
    set,
  });
  await writer.push([
    make('documents', { owner: 'x' }, document),
    make('documents', { owner: 'x' }, small),
  ]);
  await recorder.record();
  await writer.push([make('events', { document: small, text: 'small' })]);
  for (const count of [6_667, 6_667, 6_667])
    await writer.push(Array.from({ length: count }, () => make('events', { document })));
  await reader.follow();
  expect(reader.rowsOf(kRealm).size).toBe(0);

  const give = (id: string, owner: string) =>
    writer.push([{ op: 'update', table: 'documents', id, realm: kRealm, set: { owner } }]);
  const refilled = () =>
    reader.answers.flatMap(({ refill }) => (refill ?? []) as Json[]).map(({ table }) => table);
  await give(small, user);
  await reader.follow();
  expect([reader.rowsOf(kRealm).size, refilled()]).toEqual([2, []]);
  await give(document, user);
  await reader.follow();
  expect([reader.rowsOf(kRealm).size, refilled()]).toEqual([20_004, ['events']]);
  await give(document, 'x');
  await reader.follow();
  expect([reader.rowsOf(kRealm).size, refilled()]).toEqual([2, ['events']]);
  await recorder.record();
  const state = recorder.states.get(`${kRealm} ${reader.revisionOf(kRealm)}`) ?? new Map();
  expect(texts(kRealm, reader.rowsOf(kRealm).values())).toEqual(
    texts(kRealm, inScope(state, user)),
  );
});
