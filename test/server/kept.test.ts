// Goal: what a release drops is kept in the database until an operator drops it, who is told of it. Method: releases on a
// real server, and what `skerry-server check` counts then.

import { type Migration, schema, t, table } from 'skerry';
import { afterAll, expect, test } from 'vitest';
import { checkDatabase } from '../../server/src/check/check.ts';
import { checkDescription } from '../../server/src/sql/description.ts';
import { withMembers } from '../../server/src/sql/members.ts';
import { Deployment, Profile } from './support/releases.ts';

const ids = { id: t.string() };
const whole = { notes: table({ text: t.string(), rank: t.number() }, ids), files: table({}, ids) };
const renamed = { entries: table({ text: t.string() }, ids) };
const migrations = { 2: (m: Migration) => m.renameTable('notes', 'entries') };
const releases = [
  schema(whole, { version: 1 }),
  schema(renamed, { version: 2, accepts: [1], migrations }),
];

const deployment = new Deployment(releases);
afterAll(() => deployment.remove());

async function counts(release: number, ...statements: readonly string[]): Promise<string[]> {
  await deployment.stop();
  const database = await deployment.openDatabase();
  try {
    for (const statement of statements) await database.execute(statement);
    const description = JSON.parse(JSON.stringify(releases[release - 1]));
    const report = await checkDatabase(database, withMembers(checkDescription(description)));
    return report.counts.filter((line) => line.includes('kept'));
  } finally {
    await database.close();
  }
}

test('rows and values of what is dropped are kept until an operator drops them', async () => {
  await deployment.deploy(1);
  const profile = await new Profile(deployment, 'anna').open(1);
  await profile.db.transact((tx) => {
    tx.notes?.create({ id: 'a', text: 'x', rank: 1 });
    for (const id of ['b', 'c']) tx.files?.create({ id });
  }).durable;
  await profile.db.sync.waitForSync({ timeoutMs: 30_000 });
  await profile.close();
  expect(await counts(1)).toEqual([]);
  // Nothing of what a start has yet to rename seems to be of no use.
  expect(await counts(2)).toEqual([]);
  await deployment.deploy(2);
  expect(await counts(2)).toEqual([
    'entries: the schema has no prop for the column rank, and its values are kept; alter table public."entries" drop column "rank" deletes them.',
    'files: the schema has no such table, and its rows are kept (2); drop table public."files" deletes them.',
  ]);
  const dropped = ['alter table public."entries" drop column "rank"', 'drop table public."files"'];
  expect(await counts(2, ...dropped)).toEqual([]);
  await deployment.deploy(2);
  const again = await new Profile(deployment, 'anna').open(2);
  await again.db.sync.waitForSync({ timeoutMs: 30_000 });
  expect(again.rows()).toEqual({ entries: { a: { text: 'x' } } });
  await again.close();
});
