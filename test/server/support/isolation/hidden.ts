// A realm of which the log is forgotten, with all that a realm can have: rows with children, members, streams with snapshots,
// actions. And a twin, of which a caller without rights must not be able to tell it.

import { expect, vi } from 'vitest';
import { patience } from '../../../support/patience.ts';
import { appending } from '../appending.ts';
import { accept, invite, remove } from '../memberships.ts';
import { type Json, uuid7 } from '../server.ts';
import { type Caller, parsed } from './caller.ts';
import type { Target } from './probes.ts';
import { mark } from './secrets.ts';

/** How the reader stands to the realm. */
export type Standing = 'a stranger' | 'a former member' | 'an invited person';

/** The reducer that the server of these realms needs. */
export const kReducers = `export const reducers = {
  'sum/*': { version: 1, initialState: 0, reducer: (state, n) => state + n },
};`;
export const kHiddenArgs = ['--retention', '1', '--actions-per-snapshot', '5'];

const kStream = 'sum/a';
const kPlain = 'chat';
const kActions = 6;

async function apply(caller: Caller, ops: readonly Json[]): Promise<void> {
  expect(await caller.push(ops)).toMatchObject({ status: 'applied' });
}

const pathOf = (kind: string, realm: string, rest: string) =>
  `/v1/${kind}/${encodeURIComponent(realm)}/${rest}`;

/** What the owner is told of the realm once all of it is there: a floor, and a snapshot of its stream. */
async function whole(owner: Caller, realm: string): Promise<{ cursor: string; snapshot: string }> {
  const wanted = { floors: true, streams: [{ stream: kStream, version: 1, filled: {} }] };
  let body: Json = {};
  await vi.waitUntil(
    async () => {
      body = (await owner.pull({ ...wanted, cursors: {} })).body;
      const { revision = 0 } = ((body.floors as Json)[realm] ?? {}) as { revision?: number };
      return revision >= kActions && JSON.stringify(body.streams).includes('"hash"');
    },
    { timeout: patience(30_000), interval: 100 },
  );
  const told = (body.streams as Json[]).flatMap(({ snapshot }) => (snapshot ?? []) as Json);
  const [{ version, revision, hash }] = told as [Json];
  const path = pathOf(
    'streams',
    realm,
    `${encodeURIComponent(kStream)}/${version}/${revision}/${hash}`,
  );
  expect((await owner.call('GET', path)).status).toBe(200);
  return { cursor: String((body.cursors as Json)[realm]), snapshot: path };
}

/** A hidden realm and its twin, which a reader asks about. The reader has two notes; to one of them hidden rows refer. */
export async function hiddenRealm(
  standing: Standing,
  owner: Caller,
  reader: Caller,
): Promise<[Target, Target]> {
  const [realm, twin] = [uuid7(), uuid7()];
  const [row, name, member, note, other] = [mark(), mark(), mark(), mark(), mark()];
  const own = `user:${reader.user}`;
  await apply(
    reader,
    [note, other].map((id) => ({
      op: 'create',
      table: 'notes',
      id,
      realm: own,
      set: { name: 'mine' },
    })),
  );
  await apply(owner, [invite(realm, owner.user, 'owner'), invite(realm, member, 'reader')]);
  const isKnown = standing !== 'a stranger';
  if (isKnown) await apply(owner, [invite(realm, reader.user, 'writer')]);
  if (standing === 'an invited person')
    await apply(owner, [invite(twin, owner.user, 'owner'), invite(twin, reader.user, 'writer')]);
  if (standing === 'a former member') await apply(reader, [accept(realm, reader.user)]);
  await apply(owner, [
    {
      ...{ op: 'create', table: 'notes', id: row, realm },
      set: { name, code: `code ${name}`, votes: 3, extra: { inner: [name] } },
    },
    // Only marks may refer to what is in another realm.
    ...['parts', 'links', 'locks', 'marks', 'marks'].map((table, i) => ({
      ...{
        op: 'create',
        table,
        id: mark(),
        realm,
        set: { name: mark(), note: i < 4 ? row : note },
      },
    })),
  ]);
  // Of one stream the actions are forgotten, for a snapshot has them; those of the other stay.
  for (let n = 1; n <= kActions; n++) {
    const [folded, plain] = [[kStream, [n]] as const, [kPlain, [mark()]] as const];
    const [stream, args] = n === 1 ? plain : folded;
    const { body } = await owner.send([appending(owner, realm, stream, args)]);
    expect(body.results).toMatchObject([{ status: 'applied' }]);
  }
  if (standing === 'a former member') await apply(owner, [remove(realm, reader.user)]);
  const { cursor, snapshot } = await whole(owner, realm);
  const last = owner.update([{ op: 'update', table: 'notes', id: row, realm, set: { votes: 4 } }]);
  expect((await owner.send([last])).body.results).toMatchObject([{ status: 'applied' }]);
  const [action] = last.actions as Json[];
  // Who was a member has a token that says so, until that is forgotten, too: in the middle of a question it would make a difference.
  const ownToken = async () => (await reader.pull({ scopes: [] })).body.realmsToken;
  await expect.poll(ownToken, { timeout: 20_000 }).toBeUndefined();
  const table = parsed(await owner.call('POST', '/v1/tables/notes', {}));
  const time = String(table.body.lastUpdateTime);
  const image = (of: string) => pathOf('snapshot', of, `${'e'.repeat(36)}/3/${'a'.repeat(64)}`);
  const target: Target = {
    ...{
      realm,
      table: 'notes',
      id: row,
      name,
      member,
      update: last.id,
      action: String(action?.id),
    },
    ...{ cursor, image: image(realm), time, note, stream: kPlain, snapshot },
  };
  return [
    target,
    {
      ...target,
      ...{ realm: twin, id: row.replace(/zq$/, 'zr'), name: mark(), member: mark() },
      ...{ update: uuid7(), action: uuid7(), image: image(twin), note: other },
      ...{ time: time.replace(/.(?=.{9}$)/, (last) => (last === 'A' ? 'B' : 'A')) },
      ...{ snapshot: snapshot.replace(encodeURIComponent(realm), encodeURIComponent(twin)) },
    },
  ];
}
