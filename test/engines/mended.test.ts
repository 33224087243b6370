// Goal: in each engine what a device holds wrongly is found by a comparison, made right in storage and in every window, and said; what
// is pending stays. Method: a network that falsifies the server's answers to pulls, in each of the ways in which a row can be wrong, with
// a service worker and without.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSite, type Site } from '../browser/support/site.ts';
import { agree, engines, modesByDay } from './support/checks.ts';
import { Scene } from './support/scene.ts';

interface Change {
  readonly id: string;
  readonly realm: string;
  readonly set: { readonly title: string };
  readonly modifiedAt: number;
}

/** A row of another device, by its title, and what a window gets of it. */
const planted: Readonly<Record<string, (change: Change, user: string) => readonly Change[]>> = {
  right: (change) => [change],
  prop: (change) => [{ ...change, set: { ...change.set, title: 'wrong' } }],
  time: (change) => [{ ...change, modifiedAt: change.modifiedAt - 1 }],
  missing: () => [],
  realm: (change, user) => [{ ...change, realm: `user:${user}` }],
  more: (change) => [change, { ...change, id: kMore }],
};
const kMore = '0190ffff-0000-7000-8000-000000000001';
const titles = Object.keys(planted);
/** Of a row in the wrong realm two are mended. */
const kMended = 6;

/** Written by a device of another user. */
async function written(url: string): Promise<void> {
  const actions = [{ id: randomUUID(), name: 'addAll', arg: null, at: Date.now() }];
  const ops = titles.map((title, i) => ({
    ...{ op: 'create', table: 'notes', realm: 'public', set: { title } },
    id: `0190ffff-0000-7000-8000-00000000010${i}`,
  }));
  const update = { id: randomUUID(), after: { public: null }, base: { public: 0 }, at: Date.now() };
  const { schema } = (await (await fetch(`${url}/v1/health`)).json()) as { schema: number };
  const response = await fetch(`${url}/v1/push`, {
    method: 'POST',
    headers: { authorization: 'Bearer dev:other', 'content-type': 'application/json' },
    body: JSON.stringify({
      client: randomUUID(),
      schema,
      updates: [{ ...update, actions, ops }],
    }),
  });
  expect(await response.json()).toMatchObject({ results: [{ status: 'applied' }] });
}

let site: Site;
beforeAll(async () => {
  site = await buildSite();
});
afterAll(() => site?.remove());

describe.each(engines)('$name', (engine) => {
  test.each(modesByDay(engine))('%s: each kind of wrong row is mended', async (mode) => {
    const scene = await Scene.start(engine, site);
    try {
      await scene.begin(mode);
      const mine = await scene.open();
      const other = await scene.open();
      const pending = await mine.call('counter');
      const { user } = (await mine.call('openedAs')) as { user: string };
      scene.proxy.rules({
        path: /\/v1\/pull/,
        rewrite: (text) => {
          const answer = JSON.parse(text) as { changes: Change[] };
          const changes = answer.changes.flatMap(
            (change) => planted[change.set?.title]?.(change, user) ?? [change],
          );
          return JSON.stringify({ ...answer, changes });
        },
      });
      await written(scene.serverUrl);
      await mine.call('now');
      await other.call('now');
      scene.proxy.rules();
      const wrong = (await mine.call('notes')).map(({ title }) => title).sort();
      expect(wrong).toEqual(['counter', 'more', 'more', 'realm', 'right', 'time', 'wrong']);
      const { mended, ...rest } = await mine.call('verify');
      expect(mended).toHaveLength(kMended);
      expect(rest).toMatchObject({ skipped: 0, unmended: 0 });
      await agree(scene);
      expect((await other.call('notes')).map(({ title }) => title).sort()).toEqual(
        ['counter', ...titles].sort(),
      );
      expect((await other.status()).mended).toBe(kMended);
      expect(await other.call('verify')).toMatchObject({ mended: [], skipped: 0 });
      // It is stored.
      const again = await scene.reload(mine);
      expect(await again.call('notes')).toEqual(await other.call('notes'));
      await again.call('edit', pending, { rank: 3 });
      await agree(scene);
    } finally {
      await scene.stop();
    }
  });
});
