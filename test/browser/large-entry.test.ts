// Goal: one entry may concern very many rows: a list moves to another realm with its notes, and goes. A window that sees both
// realms, one that sees the old one and one that sees the new one hold afterwards what they should, in memory and in storage.
// Method: a client of the wire makes 100,000 notes (by day fewer and longer, still more than an answer can hold); three
// profiles.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { invite } from '../server/support/memberships.ts';
import { type Json, uuid7, WireClient } from '../server/support/server.ts';
import { rounds } from '../support/rounds.ts';
import { Profile } from './support/browser.ts';
import { inStep, opened, reopened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { until } from './support/until.ts';

const kNotes = rounds(100_000, 9_000);
const kPerPush = rounds(10_000, 5_000);
const kTitle = 'n'.repeat(rounds(1, 1_200));
const users = ['owner', 'leaver', 'joiner'] as const;
const profiles = users.map(() => new Profile());
let served: Served;
let pages: Page[];

beforeAll(async () => {
  served = await serveSite();
  pages = await Promise.all(
    users.map((user, i) => opened(profiles[i] as Profile, served.server.url, { user })),
  );
  for (const page of pages) await inStep(page);
});
afterAll(async () => {
  for (const profile of profiles) await profile.remove();
  await served?.stop();
});

/** Ends with the update applied: while the database is busy, it is sent again. */
async function push(client: WireClient, ops: readonly Json[]): Promise<void> {
  const update = client.update(ops);
  const sent = async () => {
    const { body } = await client.send([update], { schema: 2 });
    return (body.results as Json[] | undefined)?.[0]?.status;
  };
  await expect.poll(sent, { timeout: 300_000, interval: 500 }).toMatch(/^(applied|duplicate)$/);
}

/** How many notes each window holds in the realm. */
async function hold(realm: string, counts: readonly number[]): Promise<void> {
  for (const [i, page] of pages.entries()) {
    await until(
      page,
      (name, many) => db.notes.where('realm', '=', name).count() === many,
      [realm, counts[i] as number],
      300_000,
    );
  }
}

test('a list moves with very many notes, and is deleted', { timeout: 1_200_000 }, async () => {
  const owner = new WireClient(served.server.url, 'owner');
  const [from, to, list] = [uuid7(), uuid7(), uuid7()];
  await push(owner, [invite(from, 'owner', 'owner'), invite(from, 'leaver', 'reader')]);
  await push(owner, [invite(to, 'owner', 'owner'), invite(to, 'joiner', 'reader')]);
  const make = (table: string, id: string, set: Json) => ({
    ...{ op: 'create', table, id, realm: from },
    set,
  });
  await push(owner, [make('lists', list, { name: 'long' })]);
  for (let made = 0; made < kNotes; ) {
    const count = Math.min(kPerPush, kNotes - made);
    const notes = Array.from({ length: count }, () =>
      make('notes', uuid7(), { title: kTitle, list }),
    );
    await push(owner, notes);
    made += count;
  }
  await hold(from, [kNotes, kNotes, 0]);
  await push(owner, [{ op: 'move', table: 'lists', id: list, realm: from, to }]);
  await hold(to, [kNotes, 0, kNotes]);
  await hold(from, [0, 0, 0]);
  // What is stored is the same: without a token nothing comes from the server.
  for (const [i, page] of pages.entries())
    await reopened(page, { user: users[i] as string, tokens: ['fails'] });
  await hold(to, [kNotes, 0, kNotes]);
  await hold(from, [0, 0, 0]);
  for (const [i, page] of pages.entries()) await reopened(page, { user: users[i] as string });
  await push(owner, [{ op: 'delete', table: 'lists', id: list, realm: to }]);
  await hold(to, [0, 0, 0]);
});
