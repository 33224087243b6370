// Goal: people who never saw <skerry-conflicts> settle what is in the inbox, with a mouse, with the keyboard alone, with a screen
// reader, and on a narrow screen. Method: ten conflicts with another device over a real server, settled by roles and names alone, as
// a screen reader has them; axe over the page in each look; and the rows that both devices have in the end.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ElementHandle, Page } from 'puppeteer-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Profile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { caughtUp, inStep, opened } from './support/kit.ts';
import { Stage } from './support/served.ts';
import { until } from './support/until.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const stage = new Stage();
const other = new Profile();
let proxy: FaultProxy;
let mine: Page;
let theirs: Page;
let round = 0;
let slug = '';

beforeAll(async () => {
  proxy = await FaultProxy.start(stage.url);
  mine = await opened(stage.profile, proxy.url, { user: 'me' });
  theirs = await opened(other, stage.url, { user: 'them' });
  for (const page of [mine, theirs]) await inStep(page);
  await mine.addScriptTag({ url: '/elements.js', type: 'module' });
  await until(mine, () => globalThis.showConflicts !== undefined, []);
});
afterAll(async () => {
  await other.remove();
  await proxy?.close();
});
beforeEach(async () => {
  slug = `place-${round++}`;
  await mine.evaluate(async () => {
    document.documentElement.dir = 'ltr';
    for (const { id } of db.conflicts.all())
      await kit.outcome(() => db.conflicts.resolve(id, 'discard'));
    showConflicts();
  });
});

/** Two lists and two notes that both devices have. */
async function made() {
  const ids = await theirs.evaluate(async (name) => {
    const lists = ['first', 'second'].map((one) =>
      db.mutate.addList({ name: `List ${one}`, slug: `${name}-${one}` }),
    );
    const notes = ['Milk', 'Bread'].map((title) =>
      db.mutate.addNote({ title, list: lists[1]?.result as string }),
    );
    await Promise.all([...lists, ...notes].map(({ confirmed }) => confirmed));
    return [...lists, ...notes].map(({ result }) => result);
  }, slug);
  await caughtUp(mine);
  const [first, second, milk, bread] = ids as [string, string, string, string];
  return { first, second, milk, bread, slug };
}
type Made = Awaited<ReturnType<typeof made>>;
type Change = (ids: Made) => Promise<unknown>;

/** Mine is made without a network, theirs meanwhile; waits until so many entries are in the inbox. */
async function disagree(want: { mine: Change; theirs: Change; entries?: number }): Promise<Made> {
  const ids = await made();
  proxy.rules({ path: /\/v1\//, fault: 'refuse' });
  await mine.evaluate(want.mine, ids);
  await theirs.evaluate(want.theirs, ids);
  proxy.rules();
  await mine.evaluate(() => kit.outcome(() => db.sync.now()));
  await until(
    mine,
    (count) => db.conflicts.all().length === count && db.sync.status.pending === 0,
    [want.entries ?? 1],
    60_000,
  );
  await caughtUp(mine);
  return ids;
}

const named = (role: string, name: string) => `::-p-aria([role="${role}"][name="${name}"])`;

/** The entry with this heading, as a screen reader finds it. */
async function entry(name: string): Promise<ElementHandle> {
  const found = await mine.waitForSelector(named('article', name), { timeout: 20_000 });
  if (!found) throw new Error(`no entry ${name}`);
  return found;
}
async function press(inside: ElementHandle, role: string, name: string): Promise<void> {
  const found = await inside.$(named(role, name));
  if (!found) throw new Error(`no ${role} ${name}`);
  await found.click();
}

async function isEmpty(): Promise<void> {
  await until(
    mine,
    () => db.conflicts.all().length === 0 && db.sync.status.pending === 0,
    [],
    60_000,
  );
  await mine.waitForSelector('::-p-text(No change needs a decision.)', {
    timeout: 20_000,
  });
  await caughtUp(mine);
  await caughtUp(theirs);
}

/** What both devices have of a row. */
async function both<T>(read: (id: string) => T, id: string): Promise<T> {
  const [a, b] = await Promise.all([mine, theirs].map((page) => page.evaluate(read, id)));
  expect(a).toEqual(b);
  return a as T;
}
const listOf = (id: string) => {
  const { name, slug: taken } = db.lists.get(id) ?? {};
  return [name, taken];
};
const noteOf = (id: string) => {
  const { title, rank } = db.notes.get(id) ?? {};
  return [title ?? null, rank ?? null];
};

const takesSlug: Change = ({ first, slug: taken }) =>
  db.mutate.editList({ id: first, patch: { slug: taken } }).confirmed;
const wantsSlug: Change = ({ second, slug: taken }) =>
  db.mutate.editList({ id: second, patch: { slug: taken, name: 'Groceries' } }).durable;
const deletesMilk: Change = ({ milk }) => db.mutate.deleteNote({ id: milk }).confirmed;

describe('ten conflicts, settled by roles and names', () => {
  test('1: my name, and the slug that it has', async () => {
    const { second } = await disagree({ mine: wantsSlug, theirs: takesSlug });
    const article = await entry('Edit list');
    expect(await article.$(named('group', 'Slug'))).not.toBeNull();
    await press(article, 'radio', `Now: ${slug}-second`);
    await press(article, 'button', 'Save this choice');
    await isEmpty();
    expect(await both(listOf, second)).toEqual(['Groceries', `${slug}-second`]);
  });

  test('2: all as it is', async () => {
    const { second } = await disagree({ mine: wantsSlug, theirs: takesSlug });
    await press(await entry('Edit list'), 'button', 'Keep what is there');
    await isEmpty();
    expect(await both(listOf, second)).toEqual(['List second', `${slug}-second`]);
  });

  test('3: once more, when the slug is free again', async () => {
    const { first, second } = await disagree({ mine: wantsSlug, theirs: takesSlug });
    const article = await entry('Edit list');
    await press(article, 'button', 'Save this choice');
    await mine.waitForSelector('::-p-aria([role="status"])');
    await until(
      mine,
      () =>
        /did not work/.test(
          document.querySelector('skerry-conflicts')?.shadowRoot?.querySelector('[role=status]')
            ?.textContent ?? '',
        ),
      [],
    );
    await theirs.evaluate(
      (id) => db.mutate.editList({ id, patch: { slug: 'free-of-it' } }).confirmed,
      first,
    );
    await caughtUp(mine);
    await press(article, 'button', 'Save this choice');
    await isEmpty();
    expect(await both(listOf, second)).toEqual(['Groceries', slug]);
    await theirs.evaluate(
      (id) => db.mutate.editList({ id, patch: { slug: `of-${id}` } }).confirmed,
      first,
    );
  });

  test('4: a list that I add with a slug that is taken is not added, nor what is in it', async () => {
    await disagree({
      mine: async ({ slug: taken }) => {
        const list = db.mutate.addList({ name: 'Groceries', slug: taken });
        await db.mutate.addNote({ title: 'Eggs', list: list.result }).durable;
      },
      theirs: takesSlug,
      entries: 2,
    });
    await press(await entry('Add note'), 'button', 'Drop my change');
    await press(await entry('Add list'), 'button', 'Drop my change');
    await isEmpty();
    expect(await both((name) => db.notes.where('title', '=', name).count(), 'Eggs')).toBe(0);
  });

  test('5: a note that I edited and others deleted is created again, with my title', async () => {
    const { milk } = await disagree({
      mine: ({ milk: id }) => db.mutate.editNote({ id, patch: { title: 'Oat milk' } }).durable,
      theirs: deletesMilk,
    });
    const article = await entry('Edit note');
    // There is no value now that could be named.
    expect(await article.$eval('fieldset', (prop) => prop.textContent)).toBe(
      'TitleBefore: MilkMine: Oat milk',
    );
    await press(article, 'button', 'Create it again');
    await isEmpty();
    expect(await both(noteOf, milk)).toEqual(['Oat milk', 0]);
  });

  test('6: a note that I edited and others deleted stays deleted', async () => {
    const { milk } = await disagree({
      mine: ({ milk: id }) => db.mutate.editNote({ id, patch: { title: 'Oat milk' } }).durable,
      theirs: deletesMilk,
    });
    await press(await entry('Edit note'), 'button', 'Drop my change');
    await isEmpty();
    expect(await both(noteOf, milk)).toEqual([null, null]);
  });

  test('7: a number that I raised of a note that others deleted is that of the new one', async () => {
    const { milk } = await disagree({
      mine: async ({ milk: id }) => {
        db.mutate.bump({ id });
        await db.mutate.editNote({ id, patch: { rank: 5 } }).durable;
      },
      theirs: deletesMilk,
      entries: 2,
    });
    await press(await entry('Bump'), 'button', 'Drop my change');
    await press(await entry('Edit note'), 'button', 'Create it again');
    await isEmpty();
    expect(await both(noteOf, milk)).toEqual(['Milk', 5]);
  });

  test('8: two lists, of which one may not have its slug, but both their names', async () => {
    const { first, second } = await disagree({
      mine: ({ first: one, second: two, slug: taken }) =>
        db.transact((tx) => {
          tx.lists.update(two, { name: 'Groceries', slug: `${taken}-third` });
          tx.lists.update(one, { name: 'Tools' });
        }).durable,
      theirs: ({ slug: taken }) =>
        db.mutate.addList({ name: 'Third', slug: `${taken}-third` }).confirmed,
    });
    const article = await entry('Change of lists');
    await press(article, 'radio', `Now: ${slug}-second`);
    await press(article, 'button', 'Save this choice');
    await isEmpty();
    expect(await both(listOf, second)).toEqual(['Groceries', `${slug}-second`]);
    expect((await both(listOf, first))[0]).toBe('Tools');
  });

  test('9: a note in a list that others deleted is made again when the list is back', async () => {
    const { second } = await disagree({
      mine: ({ second: list }) => db.mutate.addNote({ title: 'Eggs', list }).durable,
      theirs: ({ second: id }) => db.transact((tx) => tx.lists.delete(id)).confirmed,
    });
    await theirs.evaluate(
      (id) => db.transact((tx) => tx.lists.create({ id, name: 'Again' })).confirmed,
      second,
    );
    await caughtUp(mine);
    await press(await entry('Add note'), 'button', 'Make my change again');
    await isEmpty();
    const inside = (id: string) =>
      db.notes
        .where('list', '=', id)
        .all()
        .map(({ title }) => title);
    expect(await both(inside, second)).toEqual(['Eggs']);
  });

  test('10: two entries, each in its own way; what others settled meanwhile is no fault', async () => {
    const { second, bread } = await disagree({
      mine: async (ids) => {
        await db.mutate.editList({ id: ids.second, patch: { slug: ids.slug, name: 'Groceries' } })
          .durable;
        await db.mutate.editNote({ id: ids.bread, patch: { title: 'Rye bread' } }).durable;
        await db.mutate.editNote({ id: ids.milk, patch: { title: 'Oat milk' } }).durable;
      },
      theirs: async (ids) => {
        await db.mutate.editList({ id: ids.first, patch: { slug: ids.slug } }).confirmed;
        for (const id of [ids.bread, ids.milk]) await db.mutate.deleteNote({ id }).confirmed;
      },
      entries: 3,
    });
    const beside = await opened(stage.profile, proxy.url, { user: 'me' });
    await until(beside, () => db.conflicts.all().length === 3, []);
    await beside.evaluate(async (key) => {
      const one = db.conflicts.all().find((entry) => entry.key === key);
      await db.conflicts.resolve(one?.id ?? 0, 'discard');
    }, bread);
    await beside.close();
    await until(mine, () => db.conflicts.all().length === 2, []);
    await press(await entry('Edit note'), 'button', 'Drop my change');
    await until(mine, () => db.conflicts.all().length === 1, []);
    const article = await entry('Edit list');
    await press(article, 'radio', `Now: ${slug}-second`);
    await press(article, 'button', 'Save this choice');
    await isEmpty();
    expect(await both(listOf, second)).toEqual(['Groceries', `${slug}-second`]);
    expect(await both(noteOf, bread)).toEqual([null, null]);
  });
});

/** What axe finds, as text. */
async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await checker.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

const looks = [
  ['light', 'ltr', 1000],
  ['dark', 'ltr', 1000],
  ['light', 'rtl', 320],
  ['dark', 'ltr', 320],
] as const;

test('axe finds nothing in four looks, and nothing is cut off at 320 px', async () => {
  await disagree({
    mine: async ({ second, milk, slug: taken }) => {
      const name = `Groceries${'x'.repeat(300)} ${'רשימת קניות '.repeat(20)}`;
      await db.mutate.editList({ id: second, patch: { slug: taken, name } }).durable;
      await db.mutate.editNote({ id: milk, patch: { title: 'Oat milk', body: 'y'.repeat(2_000) } })
        .durable;
    },
    theirs: async ({ first, milk, slug: taken }) => {
      await db.mutate.editList({ id: first, patch: { slug: taken } }).confirmed;
      await db.mutate.deleteNote({ id: milk }).confirmed;
    },
    entries: 2,
  });
  await mine.addStyleTag({ content: ':root { color-scheme: light dark; } body { margin: 0; }' });
  for (const [scheme, direction, width] of looks) {
    await mine.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await mine.setViewport({ width, height: 800 });
    await mine.evaluate((dir) => {
      document.documentElement.dir = dir;
    }, direction);
    expect(await faults(mine), `${scheme} ${direction} ${width}`).toEqual([]);
    const wide = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
    expect(await mine.evaluate(wide), `${scheme} ${direction} ${width}`).toBe(0);
  }
  await mine.setViewport({ width: 1000, height: 800 });
  await mine.evaluate(async () => {
    for (const { id } of db.conflicts.all()) await db.conflicts.resolve(id, 'discard');
  });
  await isEmpty();
  expect(await faults(mine)).toEqual([]);
});

test('the keyboard alone settles an entry, and the focus stays in the list', async () => {
  const { second } = await disagree({
    mine: async ({ second: list, milk, slug: taken }) => {
      await db.mutate.editList({ id: list, patch: { slug: taken, name: 'Groceries' } }).durable;
      await db.mutate.editNote({ id: milk, patch: { title: 'Oat milk' } }).durable;
    },
    theirs: async ({ first, milk, slug: taken }) => {
      await db.mutate.editList({ id: first, patch: { slug: taken } }).confirmed;
      await db.mutate.deleteNote({ id: milk }).confirmed;
    },
    entries: 2,
  });
  /** What has the focus, by its words. */
  const focused = () =>
    mine.evaluate(() => {
      const inside = document.activeElement?.shadowRoot?.activeElement;
      const of = inside instanceof HTMLInputElement ? inside.closest('label') : inside;
      return of?.textContent?.trim() ?? null;
    });
  const tabTo = async (wanted: string) => {
    for (let presses = 0; presses < 30; presses++) {
      if ((await focused()) === wanted) return;
      await mine.keyboard.press('Tab');
    }
    throw new Error(`${wanted} has no place in the order`);
  };
  await mine.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await tabTo(`Mine: ${slug}`);
  await mine.keyboard.press('ArrowUp');
  expect(await focused()).toBe(`Now: ${slug}-second`);
  await tabTo('Save this choice');
  await mine.keyboard.press('Enter');
  await until(mine, () => db.conflicts.all().length === 1, []);
  await expect.poll(focused).toBe('Edit note');
  await tabTo('Drop my change');
  await mine.keyboard.press('Space');
  await isEmpty();
  await expect.poll(focused).toBe('No change needs a decision.');
  expect(await both(listOf, second)).toEqual(['Groceries', `${slug}-second`]);
});

test('what others change meanwhile is shown, and keeps what the user has chosen', async () => {
  const { second } = await disagree({ mine: wantsSlug, theirs: takesSlug });
  const article = await entry('Edit list');
  await press(article, 'radio', 'Now: List second');
  await theirs.evaluate(
    (id) => db.mutate.editList({ id, patch: { name: 'Shopping' } }).confirmed,
    second,
  );
  const shown = await mine.waitForSelector(named('radio', 'Now: Shopping'), { timeout: 20_000 });
  expect(await shown?.evaluate((radio) => (radio as HTMLInputElement).checked)).toBe(true);
  await press(await entry('Edit list'), 'radio', `Now: ${slug}-second`);
  await press(await entry('Edit list'), 'button', 'Save this choice');
  await isEmpty();
  expect(await both(listOf, second)).toEqual(['Shopping', `${slug}-second`]);
});

test('another language is shown in place of English', async () => {
  await disagree({ mine: wantsSlug, theirs: takesSlug });
  await mine.evaluate(() =>
    showConflicts({
      discard: 'Verwerfen',
      title: ({ mutation }) => `Änderung ${mutation?.name}`,
      prop: (table, prop) => `${table}.${prop}`,
    }),
  );
  const article = await entry('Änderung editList');
  expect(await article.$(named('group', 'lists.slug'))).not.toBeNull();
  await press(article, 'button', 'Verwerfen');
  await until(mine, () => db.conflicts.all().length === 0, []);
});
