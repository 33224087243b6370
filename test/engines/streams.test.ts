// Goal: in each engine, streams are shared by windows and users: shown at once, offline too, confirmed in the order of the
// log, with their whole past, and gone with the right to their realm. Method: several windows of two users in one browser,
// with a service worker and without, while the network fails and the browser is killed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSite, type Site } from '../browser/support/site.ts';
import { type Json, uuid7, WireClient } from '../server/support/server.ts';
import { engines, modesByDay } from './support/checks.ts';
import type { RemoteWindow } from './support/hub.ts';
import { Scene } from './support/scene.ts';

/** An engine under load may take a minute to start its service worker. */
const kLimitMs = 120_000;
/** More than are kept, and than one answer holds as one entry. */
const kPast = 1_200;

let site: Site;
beforeAll(async () => {
  site = await buildSite();
});
afterAll(() => site?.remove());

const eventually = <T>(value: () => Promise<T>) => expect.poll(value, { timeout: kLimitMs });
const numbers = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => String(from + i));

/** Appends these texts to `chat` in a realm, and as many ones to `total`, as a program does. */
async function pushPast(url: string, user: string, realm: string, texts: readonly string[]) {
  const client = new WireClient(url, user);
  for (let i = 0; i < texts.length; i += 300) {
    const some = texts.slice(i, i + 300);
    const at = Date.now();
    const actions = some.flatMap((text) => [
      { id: uuid7(), name: 'said', arg: { type: 'said', text }, at },
      { id: uuid7(), name: 'add', arg: { type: 'add', by: 1 }, at },
    ]);
    const ops = actions.map(({ name }, by) => ({
      ...{ op: 'append', realm, stream: name === 'said' ? 'chat' : 'total' },
      by: [by],
    }));
    const { body } = await client.send([client.update(ops, { actions, ops })], { schema: 3 });
    expect((body.results as Json[])[0]).toMatchObject({ status: 'applied' });
  }
}

describe.each(engines)('$name', (engine) => {
  describe.each(modesByDay(engine))('%s', (mode) => {
    let scene: Scene;
    let anna: RemoteWindow;
    let anna2: RemoteWindow;
    let bo: RemoteWindow;
    /** The realm with values of all types, and what is shown of them. */
    let typed = '';
    let asTyped: unknown;

    beforeAll(async () => {
      scene = await Scene.start(engine, site, site.sharedSchema);
      await scene.begin(mode);
      anna = await scene.open({ user: 'anna', schema: 'shared' });
      anna2 = await scene.open({ user: 'anna', schema: 'shared' });
      bo = await scene.open({ user: 'bo', schema: 'shared' });
    });
    afterAll(async () => {
      await scene?.stop();
    });

    const all = () => [anna, anna2, bo];
    const shows = (window: RemoteWindow, realm: string, texts: string[], sum: number) =>
      eventually(async () => ({
        texts: await window.call('said', realm),
        sum: await window.call('sum', realm),
      })).toEqual({ texts, sum });

    test('two users and two windows share a chat and a sum, offline too', async () => {
      const realm = await anna.call('found');
      await anna.call('invite', realm, 'bo', 'writer');
      await eventually(() => bo.call('role', realm)).toBe('writer');
      for (const window of all()) await window.call('openStreams', realm);
      await anna.call('say', realm, ['one']);
      expect(await anna.call('said', realm)).toEqual(['one']);
      for (const window of all()) await shows(window, realm, ['one'], 0);
      scene.proxy.setOffline(true);
      await anna.call('say', realm, ['two']);
      await anna2.call('add', realm, 2);
      await bo.call('add', realm, 3);
      await bo.call('add', realm, -1);
      await shows(anna2, realm, ['one', 'two'], 2);
      await shows(bo, realm, ['one'], 3);
      scene.proxy.setOffline(false);
      for (const window of all()) await shows(window, realm, ['one', 'two'], 5);
      await eventually(() => bo.call('authors', realm)).toEqual(['anna', 'anna']);
    });

    test('a user invited late has the whole past; it is deleted with the right', async () => {
      const realm = await anna.call('found');
      await pushPast(scene.serverUrl, 'anna', realm, numbers(0, kPast));
      await anna.call('invite', realm, 'bo', 'reader');
      await eventually(() => bo.call('role', realm)).toBe('reader');
      await bo.call('openStreams', realm);
      await shows(bo, realm, numbers(kPast - 1_000, 1_000), kPast);
      expect(await bo.call('pagesBack', realm, 150)).toEqual(numbers(0, kPast));
      await anna.call('removeMember', realm, 'bo');
      await shows(bo, realm, [], 0);
      expect(await bo.call('storedActions', realm, 'chat')).toBe(0);
      expect(await bo.call('storedActions', realm, 'total')).toBe(0);
    });

    test('values of all types come as they were made, and unknown ones stay as they are', async () => {
      typed = await anna.call('found');
      await anna.call('invite', typed, 'bo', 'writer');
      await eventually(() => bo.call('role', typed)).toBe('writer');
      for (const window of all()) await window.call('openTyped', typed);
      await anna.call('makeTyped', typed);
      const offer = 'Offer(Money(250 SEK),[Color.BLUE,Color.RED],Date(86400000))';
      const money = (cents: number) => `Money(${cents} EUR)`;
      const any = `{deep:[{of:Color.BLUE,at:Date(7),price:${money(2)},$own:1}]}`;
      const made = {
        row: `[Date(5),bytes(0,255),Color.RED,${money(1)},${offer},${any}]`,
        items: [`{type:"typed",offer:${offer},raw:bytes(7)}`],
        state: `{total:${money(250)},color:Color.BLUE,at:Date(9)}`,
      };
      for (const window of all())
        await eventually(() => window.call('lookTyped', typed)).toEqual(made);
      // A newer release has a class that this one does not know.
      const tax = { $type: 'Tax', v: { rate: 25, of: [1] }, version: 3 };
      const client = new WireClient(scene.serverUrl, 'anna');
      const action = { id: uuid7(), name: 'taxed', arg: { type: 'taxed', tax }, at: Date.now() };
      const op = { op: 'append', realm: typed, stream: 'typed' };
      await client.send([client.update([op], { actions: [action] })], { schema: 3 });
      const unknown = `unknown(${JSON.stringify(tax)})`;
      await eventually(async () => (await bo.call('lookTyped', typed)).items.at(-1)).toBe(
        `{type:"taxed",tax:${unknown}}`,
      );
      await bo.call('passOn', typed);
      const passed = {
        row: made.row.replace(any, `[${unknown}]`),
        items: [...made.items, `{type:"taxed",tax:${unknown}}`, `{type:"again",tax:${unknown}}`],
        state: made.state,
      };
      for (const window of all())
        await eventually(() => window.call('lookTyped', typed)).toEqual(passed);
      expect(await anna.call('exported')).toContain(JSON.stringify(tax));
      asTyped = passed;
    });

    test('a killed browser loses nothing that was durable, and shows it offline', async () => {
      const realm = await anna.call('found');
      await anna.call('openStreams', realm);
      await anna.call('sayConfirmed', realm, 'confirmed');
      await anna.call('add', realm, 4);
      await eventually(() => anna.call('sumIsWhole', realm)).toBe(true);
      // The page itself can still be loaded.
      scene.proxy.rules({ path: /\/v1\//, fault: 'refuse' });
      await anna.call('say', realm, ['pending']);
      await anna.call('add', realm, 5);
      await scene.kill();
      anna = await scene.open({ user: 'anna', schema: 'shared' });
      await anna.call('openStreams', realm);
      await shows(anna, realm, ['confirmed', 'pending'], 9);
      await anna.call('openTyped', typed);
      await eventually(() => anna.call('lookTyped', typed)).toEqual(asTyped);
      scene.proxy.rules();
      await eventually(() => anna.call('authors', realm)).toEqual(['anna', 'anna']);
      await shows(anna, realm, ['confirmed', 'pending'], 9);
      anna2 = await scene.open({ user: 'anna', schema: 'shared' });
      bo = await scene.open({ user: 'bo', schema: 'shared' });
    });
  });
});
