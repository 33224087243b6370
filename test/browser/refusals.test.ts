// Goal: a rejected change never blocks: the culprit and its dependants go to the inbox, and the rest is pushed
// (docs/design.md, "Refusals"). Method: another client breaks a uniqueness rule while this one has no network.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { caughtUp, inStep, opened, reopened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { until } from './support/until.ts';

let served: Served | undefined;
let proxy: FaultProxy;
let mine: Page;
let theirs: Page;
let slug: string;
let round = 0;
const me = new Profile();
const them = new Profile();

afterAll(async () => {
  await me.remove();
  await them.remove();
  await proxy?.close();
  await served?.stop();
});

/** Makes the conflict: their list has the slug first; mine, with a note in it, and an unrelated note come later. */
async function collide(): Promise<{ list: string; inside: string; apart: string }> {
  proxy.rules({ path: /\/v1\//, fault: 'refuse' });
  const made = await mine.evaluate(async (wanted) => {
    const list = db.mutate.addList({ name: 'Mine', slug: wanted });
    const inside = db.mutate.addNote({ title: 'inside of my list', list: list.result });
    db.mutate.editList({ id: list.result, patch: { name: 'Mine, renamed' } });
    const apart = db.mutate.addNote({ title: 'apart' });
    await apart.durable;
    return { list: list.result, inside: inside.result, apart: apart.result };
  }, slug);
  await theirs.evaluate(
    (wanted) => db.mutate.addList({ name: 'Theirs', slug: wanted }).confirmed,
    slug,
  );
  proxy.rules();
  await mine.evaluate(() => kit.outcome(() => db.sync.now()));
  await until(
    mine,
    (...wanted) => {
      const keys = db.conflicts.all().map(({ key }) => key);
      return wanted.every((key) => keys.includes(key)) && db.sync.status.pending === 0;
    },
    [made.list, made.inside],
    60_000,
  );
  return made;
}

beforeEach(async () => {
  served ??= await serveSite();
  proxy ??= await FaultProxy.start(served.server.url);
  mine ??= await opened(me, proxy.url, { user: 'me' });
  theirs ??= await opened(them, served.server.url, { user: 'them' });
  await inStep(mine);
  await inStep(theirs);
  slug = `slug-${round++}`;
});

describe('a unique value that another client took first', () => {
  test('moves the culprit and its dependants to the inbox until they are discarded', async () => {
    const { list, inside, apart } = await collide();
    const seen = await mine.evaluate(
      (a, b, c) => ({
        list: db.lists.get(a) ?? null,
        inside: db.notes.get(b) ?? null,
        apart: db.notes.get(c)?.title,
        inbox: db.conflicts.all().map(({ table, key, reason, code, mine: wanted }) => ({
          table,
          key,
          reason,
          code,
          wanted: wanted?.['name'] ?? wanted?.['title'],
        })),
      }),
      list,
      inside,
      apart,
    );
    expect(seen.apart).toBe('apart');
    expect(seen.list).toBeNull();
    expect(seen.inside).toBeNull();
    expect(seen.inbox).toContainEqual(
      expect.objectContaining({ table: 'lists', key: list, reason: 'rejected', code: 'unique' }),
    );
    expect(seen.inbox).toContainEqual(
      expect.objectContaining({ table: 'notes', key: inside, code: 'depends' }),
    );
    expect(seen.inbox.map(({ key }) => key)).not.toContain(apart);
    await caughtUp(theirs);
    expect(await theirs.evaluate((id) => db.notes.get(id)?.title, apart)).toBe('apart');
    expect(await theirs.evaluate((id) => db.lists.get(id) ?? null, list)).toBeNull();
    await mine.evaluate(async () => {
      for (const { id } of db.conflicts.all()) await db.conflicts.resolve(id, 'discard');
    });
    await until(mine, () => db.conflicts.all().length === 0, []);
    await reopened(mine, { user: 'me' });
    expect(await mine.evaluate(() => [db.conflicts.all().length, db.sync.status.pending])).toEqual([
      0, 0,
    ]);
    await mine.evaluate(() => db.mutate.addNote({ title: 'goes on' }).confirmed);
  });

  test('makes the mutations again in their order on retry, once it is free', async () => {
    const { list, inside } = await collide();
    await theirs.evaluate(async (taken) => {
      const other = db.lists.where('slug', '=', taken).first();
      if (!other) throw new Error('their list is missing');
      await db.mutate.editList({ id: other.id, patch: { slug: `${taken}-moved` } }).confirmed;
    }, slug);
    // The inbox outlives the window.
    await reopened(mine, { user: 'me' });
    // As long as this window sees that the slug is taken, a retry is refused.
    await caughtUp(mine);
    const ids = await mine.evaluate(() => db.conflicts.all().map(({ id }) => id));
    expect(ids.length).toBeGreaterThan(1);
    await mine.evaluate(async () => {
      for (let [next] = db.conflicts.all(); next; [next] = db.conflicts.all())
        await db.conflicts.resolve(next.id, 'retry');
    });
    await until(mine, () => db.sync.status.pending === 0, [], 60_000);
    expect(
      await mine.evaluate(
        (a, b) => [db.conflicts.all().length, db.lists.get(a)?.name, db.notes.get(b)?.list],
        list,
        inside,
      ),
    ).toEqual([0, 'Mine, renamed', list]);
    await caughtUp(theirs);
    expect(await theirs.evaluate((id) => db.lists.get(id)?.name, list)).toBe('Mine, renamed');
    expect(await theirs.evaluate((id) => db.notes.get(id)?.list, inside)).toBe(list);
  });

  test("gives an inbox entry with the wanted row and the reason, and no server's row", async () => {
    const { list } = await collide();
    const entry = await mine.evaluate((key) => {
      const found = db.conflicts.all().find((conflict) => conflict.key === key);
      return found && { ...found, at: found.at.getTime() };
    }, list);
    expect(entry).toMatchObject({ table: 'lists', reason: 'rejected', code: 'unique', base: null });
    expect(entry?.mine).toMatchObject({ slug });
    expect(entry?.theirs).toBeNull();
    expect(entry?.mutation?.name).toBe('addList');
    expect(entry?.detail).not.toBe('');
  });
});

describe('a change of a list whose new slug another client took first', () => {
  /** Both have the list `second`; they take the slug, and rename the list; I want the slug, and a name, too. */
  async function disagree(): Promise<{ second: string; entry: number }> {
    const [first, second] = await theirs.evaluate(async (wanted) => {
      const made = [1, 2].map((n) =>
        db.mutate.addList({ name: `List ${n}`, slug: `${wanted}-${n}` }),
      );
      await Promise.all(made.map(({ confirmed }) => confirmed));
      return made.map(({ result }) => result) as [string, string];
    }, slug);
    await caughtUp(mine);
    proxy.rules({ path: /\/v1\//, fault: 'refuse' });
    await mine.evaluate(
      (id, wanted) => db.mutate.editList({ id, patch: { slug: wanted, name: 'Mine' } }).durable,
      ...([second, slug] as const),
    );
    await theirs.evaluate(
      async (one, two, wanted) => {
        await db.mutate.editList({ id: one, patch: { slug: wanted } }).confirmed;
        await db.mutate.editList({ id: two, patch: { name: 'Theirs' } }).confirmed;
      },
      ...([first, second, slug] as const),
    );
    proxy.rules();
    await mine.evaluate(() => kit.outcome(() => db.sync.now()));
    const isShown = (key: string) =>
      db.conflicts.all().some((entry) => entry.key === key && entry.theirs?.['name'] === 'Theirs');
    await until(mine, isShown, [second], 60_000);
    const entry = await mine.evaluate(
      (key) => db.conflicts.all().find((one) => one.key === key)?.id ?? 0,
      second,
    );
    return { second, entry };
  }

  const listOf = (page: Page, id: string) =>
    page.evaluate((key) => {
      const { name, slug: taken } = db.lists.get(key) ?? {};
      return { name, slug: taken };
    }, id);

  async function isSettled(second: string, expected: object): Promise<void> {
    await until(mine, () => db.sync.status.pending === 0, [], 60_000);
    expect(
      await mine.evaluate((key) => db.conflicts.all().some((one) => one.key === key), second),
    ).toBe(false);
    await caughtUp(theirs);
    for (const page of [mine, theirs]) expect(await listOf(page, second)).toEqual(expected);
  }

  test('shows what it was, what was wanted, and what it is; also after a restart', async () => {
    const { second, entry } = await disagree();
    const sides = (id: number) =>
      mine.evaluate((key) => {
        const {
          base,
          mine: wanted,
          theirs: there,
        } = db.conflicts.all().find((one) => one.id === key)!;
        return [base, wanted, there].map((side) => side && [side['name'], side['slug']]);
      }, id);
    const expected = [
      ['List 2', `${slug}-2`],
      ['Mine', slug],
      ['Theirs', `${slug}-2`],
    ];
    expect(await sides(entry)).toEqual(expected);
    await reopened(mine, { user: 'me' });
    await until(mine, (id) => db.conflicts.all().some((one) => one.id === id), [entry]);
    expect(await sides(entry)).toEqual(expected);
    // The row that others delete is gone from their side, too.
    await theirs.evaluate((id) => db.transact((tx) => tx.lists.delete(id)).confirmed, second);
    await until(mine, (id) => db.conflicts.all().find((one) => one.id === id)?.theirs === null, [
      entry,
    ]);
    await mine.evaluate((id) => db.conflicts.resolve(id, 'discard'), entry);
  });

  test('is settled by props: my name, and the slug that it has', async () => {
    const { second, entry } = await disagree();
    await mine.evaluate(
      (id) => db.conflicts.resolve(id, { take: { slug: 'theirs', name: 'mine' } }),
      entry,
    );
    await isSettled(second, { name: 'Mine', slug: `${slug}-2` });
  });

  test('is settled by another change in its place', async () => {
    const { second, entry } = await disagree();
    await mine.evaluate(
      (id, key, other) =>
        db.conflicts.resolve(id, {
          amend: (tx) => {
            const name = `Mine and ${tx.lists.get(key)?.name}`;
            tx.lists.update(key, { slug: other, name });
          },
        }),
      ...([entry, second, `${slug}-3`] as const),
    );
    await isSettled(second, { name: 'Mine and Theirs', slug: `${slug}-3` });
  });
});

describe('a note in a list that another client deleted meanwhile', () => {
  test('is deleted with it; its author finds it in the inbox, and can make it again', async () => {
    const list = await mine.evaluate(async (wanted) => {
      const made = db.mutate.addList({ name: 'Shared', slug: wanted });
      await made.confirmed;
      return made.result;
    }, slug);
    await caughtUp(theirs);
    proxy.rules({ path: /\/v1\//, fault: 'refuse' });
    const note = await mine.evaluate(async (parent) => {
      const made = db.mutate.addNote({ title: 'too late', list: parent });
      await made.durable;
      return made.result;
    }, list);
    await theirs.evaluate((id) => db.transact((tx) => tx.lists.delete(id)).confirmed, list);
    proxy.rules();
    await mine.evaluate(() => kit.outcome(() => db.sync.now()));
    const isTold = (key: string) =>
      db.sync.status.pending === 0 && db.conflicts.all().some((entry) => entry.key === key);
    await until(mine, isTold, [note], 60_000);
    expect(await mine.evaluate((id) => db.notes.get(id) ?? null, note)).toBeNull();
    const entry = await mine.evaluate(
      (key) => db.conflicts.all().find((conflict) => conflict.key === key)?.id ?? 0,
      note,
    );
    expect(await mine.evaluate((id) => db.conflicts.all().find((c) => c.id === id), entry)).toEqual(
      expect.objectContaining({ table: 'notes', code: 'parent_deleted' }),
    );
    await mine.evaluate(
      async ({ id, list: parent }) => {
        db.transact((tx) => tx.lists.create({ id: parent, name: 'Shared again' }));
        await db.conflicts.resolve(id, 'retry');
      },
      { id: entry, list },
    );
    await until(mine, () => db.sync.status.pending === 0, [], 60_000);
    await caughtUp(theirs);
    for (const page of [mine, theirs])
      expect(await page.evaluate((id) => db.notes.get(id)?.title, note)).toBe('too late');
    const left = await mine.evaluate(() => db.conflicts.all().map(({ key }) => key));
    expect(left).not.toContain(note);
  });
});
