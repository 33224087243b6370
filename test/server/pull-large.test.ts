// Goal: rows too large for one answer come in several, as an image, or in pages. Method: a real server, with long
// rows and with many rows.

import { describe, expect, test } from 'vitest';
import { changesOf, create, PullStage } from './support/pulling.ts';
import type { Json } from './support/server.ts';

const stage = new PullStage();
const pair = () => stage.pair();

test('splits an answer larger than clients accept, and loses nothing', async () => {
  const { realm, author, other } = pair();
  await author.push([create(realm, 'first', { name: 'first' })]);
  await author.sync(new Map());
  const long = 'x'.repeat(900_000);
  for (let i = 0; i < 6; i++)
    await other.push([create(realm, `long-${i}`, { name: `${i}${long}` })]);
  const seen: unknown[] = [];
  let answers = 0;
  for (let more = true; more; answers++) {
    const { body } = await author.pull();
    expect(JSON.stringify(body).length).toBeLessThan(8 << 20);
    seen.push(...(body.changes as Json[]).map(({ id }) => id));
    author.cursors = { ...author.cursors, ...(body.cursors as Record<string, string>) };
    more = body.more === true;
  }
  expect(answers).toBeGreaterThan(1);
  expect(seen.sort()).toEqual(Array.from({ length: 6 }, (_, i) => `${realm}/long-${i}`).sort());
});

describe('a realm whose rows are all needed', () => {
  const wrong = (realm: string) => ({ cursors: { [realm]: '1@5' } });
  const part = (filled: unknown) => [{ table: 'cities', where: ['=', 'country', 'SE'], filled }];

  test('comes as an image or in pages if it is too large for an answer', async () => {
    const { realm, author, other } = pair();
    const ids = Array.from({ length: 20_001 }, (_, i) => `p${String(i).padStart(5, '0')}`);
    for (let at = 0; at < ids.length; at += 9_000)
      await other.push(ids.slice(at, at + 9_000).map((id) => create(realm, id, { name: id })));
    await other.push([create(realm, 'one', { name: 'one', country: 'SE' })]);
    const whole = await author.pull(wrong(realm));
    expect(whole.body).toMatchObject({ reset: [realm], fills: [{ realm }], changes: [] });
    author.scopes = part(true);
    const gone = await author.pull(wrong(realm));
    expect([gone.status, gone.body.code]).toEqual([410, 'gone']);
    author.scopes = part(false);
    const again = await author.pull({ cursors: {} });
    expect(changesOf(again.body, 'one')).toMatchObject([{ change: 'create' }]);
    expect(again.body.more).toBe(false);
  });

  test('comes in an answer as long as its few long rows fit', async () => {
    const { realm, author, other } = pair();
    const long = 'å'.repeat(450_000); // 900,000 bytes
    for (let i = 0; i < 8; i++)
      await other.push([create(realm, `long-${i}`, { name: `${i}${long}` })]);
    expect((await author.pull(wrong(realm))).status).toBe(200);
    for (let i = 8; i < 11; i++)
      await other.push([create(realm, `long-${i}`, { name: `${i}${long}` })]);
    expect((await author.pull(wrong(realm))).status).toBe(410);
  });
});
