// Goal: in each engine, with the lease and with a service worker, a large realm comes by one image: at the first visit and when
// it is granted later; the second visit fetches none, and a log-out leaves none. Method: requests and bytes are counted on
// their way to the server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSite, type Site } from '../browser/support/site.ts';
import { invite } from '../server/support/memberships.ts';
import { type Json, uuid7, WireClient } from '../server/support/server.ts';
import { engines, modes, say, until } from './support/checks.ts';
import type { RemoteWindow } from './support/hub.ts';
import { Scene } from './support/scene.ts';

/** An image is offered above 2,000 rows; by pages the first would be three pulls more. */
const ROWS = 6000;
const GRANTED = 2500;
const LIMIT_MS = 90_000;
/** Of a window's Worker and a service worker, and once more each: the engine may start the service worker late. */
const MOST_PULLS = 8;
/** Shorter than an answer with rows of the realm, which takes more than 100 bytes for each. */
const SMALL_ANSWER = 100 * 1000;

let site: Site;
beforeAll(async () => {
  site = await buildSite();
});
afterAll(() => site?.remove());

describe.each(engines)('$name', (engine) => {
  let scene: Scene;
  let writer: WireClient;

  const push = async (...ops: Json[]) => {
    const { body } = await writer.send([writer.update(ops)], { schema: 3 });
    expect((body.results as Json[])[0]?.status).toBe('applied');
  };
  const notes = (realm: string, count: number): Json[] =>
    Array.from({ length: count }, () => {
      const id = uuid7();
      return { op: 'create', table: 'notes', id, realm, set: { title: `Note ${id}`, rank: 1 } };
    });

  beforeAll(async () => {
    scene = await Scene.start(engine, site, site.sharedSchema);
    writer = new WireClient(scene.serverUrl, 'writer');
    await push(...notes('public', ROWS));
  });
  afterAll(async () => {
    await scene?.stop();
  });

  const shows = (window: RemoteWindow, realm: string, count: number) =>
    expect.poll(() => window.call('countIn', realm), { timeout: LIMIT_MS }).toBe(count);

  test.each(modes)('%s: one image for each large realm, and no page of it', async (mode) => {
    await scene.begin(mode);
    const user = `visitor-${mode}`;
    let from = scene.proxy.seen.length;
    const count = () => {
      const seen = scene.proxy.seen.slice(from);
      from += seen.length;
      const pulls = seen.filter(({ path }) => path.endsWith('/pull'));
      const images = seen.filter(({ path }) => path.includes('/snapshot/'));
      say(engine, mode, `${pulls.length} pulls, ${images.length} images`);
      expect(pulls.length).toBeLessThanOrEqual(MOST_PULLS);
      expect(Math.max(0, ...pulls.map(({ bytes = 0 }) => bytes))).toBeLessThan(SMALL_ANSWER);
      return images.length;
    };
    const visit = async () => {
      const window = await scene.open({ user, schema: 'shared' });
      await until(window, (status) => status.mode === mode);
      await shows(window, 'public', ROWS);
      await window.call('caughtUp');
      return window;
    };
    const first = await visit();
    expect(count()).toBe(1);
    await scene.close(first);
    const second = await visit();
    expect(count()).toBe(0);
    const granted = uuid7();
    await push(invite(granted, 'writer', 'owner'));
    await push(...notes(granted, GRANTED));
    await push(invite(granted, user, 'reader'));
    await shows(second, granted, GRANTED);
    await second.call('caughtUp');
    expect(count()).toBe(1);
    // At least one of them is an image.
    expect((await second.call('databasesOf', user)).length).toBeGreaterThan(1);
    await second.call('logout', 'discard');
    expect(await second.call('databasesOf', user)).toEqual([]);
  });
});
