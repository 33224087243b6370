// Goal: in each engine a window that is loaded again goes on with what it could undo and redo, and does with it what it would
// have done before; no other window has it. Method: two windows of one browser and a real server, with a service worker and without.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSite, type Site } from '../browser/support/site.ts';
import { engines, modesByDay } from './support/checks.ts';
import type { RemoteWindow } from './support/hub.ts';
import { Scene } from './support/scene.ts';

/** An engine under load may take a minute to start its service worker. */
const kLimitMs = 120_000;

let site: Site;
beforeAll(async () => {
  site = await buildSite();
});
afterAll(() => site?.remove());

describe.each(engines)('$name', (engine) => {
  describe.each(modesByDay(engine))('%s', (mode) => {
    let scene: Scene;
    beforeAll(async () => {
      scene = await Scene.start(engine, site);
      await scene.begin(mode);
    });
    afterAll(async () => {
      await scene?.stop();
    });

    const shows = (window: RemoteWindow, id: string, title: string, rank: number) =>
      expect
        .poll(() => window.call('notes').then((notes) => notes.find((note) => note.id === id)), {
          timeout: kLimitMs,
        })
        .toMatchObject({ title, rank });

    test('a window that is loaded again undoes and redoes what it has done', async () => {
      let mine = await scene.open();
      const other = await scene.open();
      const note = await mine.call('counter');
      await mine.call('edit', note, { title: 'one' });
      await mine.call('edit', note, { title: 'two' });
      await mine.call('undo');
      await shows(other, note, 'one', 0);
      mine = await scene.reload(mine);
      expect(await mine.call('undoable')).toEqual([true, true]);
      // What somebody else does in between stays.
      await other.call('edit', note, { rank: 7 });
      await shows(mine, note, 'one', 7);
      await mine.call('redo');
      await shows(other, note, 'two', 7);
      mine = await scene.reload(mine);
      await mine.call('undo');
      await shows(other, note, 'one', 7);
      await mine.call('undo');
      await shows(other, note, 'counter', 7);
      // A window that opens, or is loaded again with nothing to undo, has nothing.
      const third = await scene.open();
      expect(await third.call('undoable')).toEqual([false, false]);
      expect(await (await scene.reload(third)).call('undoable')).toEqual([false, false]);
    });
  });
});
