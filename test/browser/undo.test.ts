// Goal: an undo is like any other change: at once, offline, in all windows of the device, once however the browser dies, and
// it takes back what the author did and nothing that others did. Method: real Chromium and a real server, with two devices, whoever
// pushes: a window's worker or a service worker.
import type { Page } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { caughtUp, inStep, reopened } from './support/kit.ts';
import { TwoDevices } from './support/two-devices.ts';

const devices = new TwoDevices();

describe.each([
  ['lease', false],
  ['service worker', true],
])('with a %s', (_, serviceWorker) => {
  async function window(): Promise<Page> {
    const page = await devices.open(serviceWorker);
    await inStep(page);
    return page;
  }
  async function device(): Promise<Page> {
    devices.newDevice();
    return window();
  }
  /** A list with a note, which both devices have. */
  async function listed(page: Page): Promise<{ list: string; note: string }> {
    const made = await devices.theirs.evaluate(async () => {
      const both = db.transact((tx) => {
        const list = tx.lists.create({ name: 'list' });
        return { list, note: tx.notes.create({ title: 'note', list, rank: 10 }) };
      });
      await both.confirmed;
      return both.result;
    });
    await caughtUp(page);
    return made;
  }
  const titles = (page: Page, list: string) =>
    page.evaluate(
      (id) =>
        db.lists.get(id) === undefined
          ? null
          : db.notes
              .where('list', '=', id)
              .orderBy('title')
              .all()
              .map(({ title }) => title),
      list,
    );

  test('a list that was deleted offline comes back with what its author never saw', async () => {
    const mine = await device();
    const beside = await window();
    const { list } = await listed(mine);
    await caughtUp(beside);
    devices.proxy.setOffline(true);
    await mine.evaluate((id) => db.transact((tx) => tx.lists.delete(id)).durable, list);
    await expect.poll(() => titles(beside, list)).toBeNull();
    await devices.theirs.evaluate(
      (id) => db.transact((tx) => tx.notes.create({ title: 'unseen', list: id })).confirmed,
      list,
    );
    devices.proxy.setOffline(false);
    await caughtUp(mine);
    await caughtUp(devices.theirs);
    expect(await titles(devices.theirs, list)).toBeNull();
    expect(await beside.evaluate(() => db.undo())).toBeNull();
    expect(await mine.evaluate(() => [db.canUndo.value, db.canUndo.action?.name])).toEqual([
      ...[true, 'skerry/transact'],
    ]);
    await mine.evaluate(() => db.undo()?.confirmed);
    for (const page of [mine, beside, devices.theirs]) {
      await caughtUp(page);
      await expect.poll(() => titles(page, list)).toEqual(['note', 'unseen']);
    }
    await mine.evaluate(() => db.redo()?.confirmed);
    for (const page of [mine, beside, devices.theirs]) {
      await caughtUp(page);
      await expect.poll(() => titles(page, list)).toBeNull();
    }
  });

  test('an action of a stream is taken back by its inverse, for everybody', async () => {
    const mine = await device();
    const beside = await window();
    const stream = (page: Page, step: 'open' | 'typed' | 'undo' | 'redo', letter = '') =>
      page.evaluate(
        async ([name, what, text]) => {
          interface Action {
            readonly type: 'typed' | 'erased';
            readonly letter: string;
          }
          const letters = db.stream<string, Action>(name, {
            reducer: (state, action) =>
              action.type === 'typed' ? state + action.letter : state.replace(action.letter, ''),
            initialState: '',
            inverse: ({ type, letter }) => ({
              type: type === 'typed' ? 'erased' : 'typed',
              letter,
            }),
          });
          if (what === 'typed') await letters.dispatch({ type: 'typed', letter: text }).durable;
          if (what === 'undo') await db.undo()?.durable;
          if (what === 'redo') await db.redo()?.durable;
          return letters.value;
        },
        [`letters-${devices.user}`, step, letter] as const,
      );
    const all = [mine, beside, devices.theirs];
    for (const page of all) await stream(page, 'open');
    const shows = async (text: string) => {
      for (const page of all) {
        await caughtUp(page);
        await expect.poll(() => stream(page, 'open')).toBe(text);
      }
    };
    await stream(mine, 'typed', 'a');
    await shows('a');
    // Offline, with others' actions in between.
    devices.proxy.setOffline(true);
    expect(await stream(mine, 'undo')).toBe('');
    await stream(devices.theirs, 'typed', 'b');
    await expect.poll(() => stream(beside, 'open')).toBe('');
    devices.proxy.setOffline(false);
    await shows('b');
    // Another window has nothing to undo.
    expect(await beside.evaluate(() => db.undo())).toBeNull();
    await stream(mine, 'redo');
    await shows('ba');
    await stream(mine, 'undo');
    await shows('b');
  });

  test('a reload keeps what can be undone, for this tab and this user alone', async () => {
    const mine = await device();
    const { note } = await listed(mine);
    await mine.evaluate(
      (id) => db.transact((tx) => tx.notes.update(id, { title: 'mine' })).confirmed,
      note,
    );
    await reopened(mine, { user: devices.user, serviceWorker });
    // Taken: a tab that is made as a copy of this one would have it, too.
    expect(await mine.evaluate(() => sessionStorage.length)).toBe(0);
    expect(await mine.evaluate(() => db.canUndo.action?.name)).toBe('skerry/transact');
    await reopened(mine, { user: `${devices.user}-2`, serviceWorker });
    expect(await mine.evaluate(() => db.canUndo.value)).toBe(false);
    await reopened(mine, { user: devices.user, serviceWorker });
    expect(await mine.evaluate(() => db.canUndo.value)).toBe(false);
  });

  test('an undo counts once where the browser is killed, and others` changes stay', async () => {
    const mine = await device();
    const { note } = await listed(mine);
    await mine.evaluate(async (id) => {
      await db.transact((tx) => tx.notes.inc(id, { rank: 5 })).confirmed;
      await db.transact((tx) => tx.notes.update(id, { title: 'mine' })).confirmed;
    }, note);
    await caughtUp(devices.theirs);
    await devices.theirs.evaluate(
      (id) =>
        db.transact((tx) => {
          tx.notes.inc(id, { rank: 100 });
          tx.notes.update(id, { title: 'theirs' });
        }).confirmed,
      note,
    );
    await caughtUp(mine);
    // The answers to the first push of the undos are lost.
    devices.proxy.rules({ path: /\/v1\/push/, fault: 'cut-after' });
    const kept = await mine.evaluate(async () => {
      const undone = [db.undo(), db.undo()];
      await Promise.all(undone.map((one) => one?.durable));
      return undone.map((one) => one?.kept.map(({ prop }) => prop));
    });
    expect(kept).toEqual([['title'], []]);
    await devices.profile.kill();
    devices.proxy.rules();
    const again = await window();
    await caughtUp(again);
    await caughtUp(devices.theirs);
    for (const page of [again, devices.theirs])
      expect(
        await page.evaluate((id) => [db.notes.get(id)?.title, db.notes.get(id)?.rank], note),
      ).toEqual(['theirs', 110]);
    expect(await again.evaluate(() => [db.canUndo.value, db.conflicts.all().length])).toEqual([
      ...[false, 0],
    ]);
  });
});
