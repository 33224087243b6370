// Goal: what the server knows of names is what the rules know, and a survey answers for each update of a commit. Method: the real
// module of the rules, asked about updates that found realms of many names.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { Authority } from '../../server/src/authority/authority.ts';
import { isFoundable } from '../../server/src/rights/rights.ts';
import { withMembers } from '../../server/src/sql/members.ts';
import { invite } from './support/memberships.ts';
import { testSchema } from './support/schemas.ts';
import { type Json, WireClient } from './support/server.ts';

let authority: Authority;
beforeAll(async () => {
  authority = await Authority.load(withMembers(testSchema));
});
afterAll(() => authority.close());

const surveys = (updates: readonly Json[]) =>
  authority.survey(
    updates.map((update) => ({ user: { id: 'ada' }, text: JSON.stringify(update) })),
  );

const uuid = '01970000-0000-7000-8000-00000000abcd';
const names = [
  ...[uuid, uuid.toUpperCase(), uuid.replace('7', 'f'), '00000000-0000-0000-0000-000000000000'],
  ...[uuid.slice(1), `${uuid}0`, ` ${uuid}`, `${uuid}\n`, uuid.replaceAll('-', '')],
  ...[
    uuid.replace('a', 'g'),
    uuid.replace('-', '_'),
    `{${uuid}}`,
    `urn:uuid:${uuid}`,
    'public',
    'user:ada',
  ],
];

test('the server and the rules agree on the names of realms that may be founded', async () => {
  const client = new WireClient('', 'ada');
  const answers = await surveys(
    names.map((realm) => client.update([invite(realm, 'ada', 'owner')])),
  );
  expect(answers).toHaveLength(names.length);
  const founded = names.filter((_, i) => answers[i]?.founds.length === 1);
  expect(founded).toEqual(names.filter(isFoundable));
  expect(founded).toHaveLength(3);
});

test('of an earlier release, a survey is of what there is a place for', async () => {
  const client = new WireClient('', 'ada');
  const unknown = { op: 'create', table: 'files', id: 'f', realm: uuid, set: {} };
  const text = JSON.stringify(client.update([invite(uuid, 'ada', 'owner'), unknown]));
  const ask = { user: { id: 'ada' }, text };
  const [older, same] = await authority.survey([{ ...ask, older: true }, ask]);
  // Otherwise what it founds would have no row to be locked, and what it invites would not be counted.
  expect(older?.founds).toEqual([uuid]);
  expect(older?.members).toEqual([{ realm: uuid, user: 'ada', adds: true, accepts: false }]);
  expect(same?.founds).toEqual([]);
});

test('a survey of no update, and of what is none, has as many answers', async () => {
  expect(await surveys([])).toEqual([]);
  const nothing = { rows: {}, founds: [], members: [], streams: [], blocks: [] };
  expect(await surveys([{}, { ops: 5 }])).toEqual([nothing, nothing]);
});
