// Goal: docs/stuck.md is right about every state: what it says continues does, and what it says ends the state does,
// with all changes that were written meanwhile. Method: two windows with a real IndexedDB, real workers and a real
// server are brought into each state.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { listedCodes, listedPhases } from '../tidy/listed-codes.ts';
import { Profile } from './support/browser.ts';
import { type Answer, FaultProxy } from './support/fault-proxy.ts';
import { inStep, opened } from './support/kit.ts';
import { root } from './support/paths.ts';
import {
  elsewhere,
  nextRelease,
  type Scene,
  SECRET,
  type Stage,
  scenes,
} from './support/scenes.ts';
import { type Served, serveSite } from './support/served.ts';
import { rowsOnServer } from './support/table.ts';
import { until } from './support/until.ts';

/** Short, so that retries come soon. */
const times = { fetch: 2000, retry: 200, retryMax: 500, idleListening: 1000 };

let served: Served;
let proxy: FaultProxy;
const profile = new Profile();
/** Windows that scenes share; one that leaves something behind makes the next fail. */
let shared: Stage | null = null;

beforeAll(async () => {
  served = await serveSite({ secret: SECRET });
  proxy = await FaultProxy.start(served.server.url);
  // It takes seconds, and is needed late.
  void nextRelease.get(served);
});

afterEach(() => {
  proxy.rules();
  proxy.retarget(served.server.url);
});

afterAll(async () => {
  await profile.remove();
  await proxy?.close();
  await nextRelease.stop();
  await served?.stop();
});

async function windows({ code, name, options = {}, before }: Scene): Promise<Stage> {
  const own = { user: `${code} ${name ?? ''}`.trim().replaceAll(' ', '-'), times, ...options };
  await before?.({ profile, proxy, served, options: own });
  const [mine, other] = [
    await opened(profile, proxy.url, own),
    await opened(profile, proxy.url, own),
  ];
  return { profile, served, proxy, options: own, mine, other };
}

async function sharedStage(): Promise<Stage> {
  shared ??= await windows({ code: 'shared', leave: () => {} });
  for (const page of [shared.mine, shared.other]) await inStep(page);
  return shared;
}

/** A note that is durable; its mutation is left in `kit.made`. */
const write = (page: Page, title: string) =>
  page.evaluate(async (wanted) => {
    const made = db.mutate.addNote({ title: wanted });
    kit.made = made;
    await made.durable;
    return made.result;
  }, title);

const shows = (page: Page, id: string) =>
  until(page, (key) => db.notes.get(key) !== undefined, [id]);

const onServer = async (title: string) => {
  const rows = await rowsOnServer<{ title: string }>(proxy.url, 'notes');
  return rows.filter(({ props }) => props.title.startsWith(title));
};

/** Nothing is stuck any more, and both windows have the same rows. */
async function ended({ mine, other }: Stage): Promise<void> {
  for (const page of [mine, other])
    await until(page, () => {
      const { phase, error, pending, needsAuth } = db.sync.status;
      return phase === 'idle' && error === null && pending === 0 && !needsAuth;
    }, []);
  for (const page of [mine, other])
    await page.evaluate(() => db.sync.waitForSync({ timeoutMs: 30_000 }));
  const everything = (page: Page) => page.evaluate(() => kit.everything());
  expect(await everything(other)).toBe(await everything(mine));
}

/** The window says so, with a phase that the page names. */
async function told(page: Page, code: string): Promise<void> {
  const phases = listedPhases().get(code) ?? [];
  await page.evaluate(() => void kit.outcome(() => db.sync.now()));
  await until(
    page,
    (wanted, allowed) => {
      const { error, phase } = db.sync.status;
      const fits =
        allowed.includes(phase) || (allowed.includes('unchanged') && phase !== 'blocked');
      return error?.code === wanted && fits && error.message !== '';
    },
    [code, phases],
  );
}

test('has a scene for each code of the page, or a test elsewhere', () => {
  const codes = [...scenes, ...elsewhere].map(({ code }) => code);
  expect([...new Set(codes)].sort()).toEqual([...listedPhases().keys()].sort());
  for (const { code, why, test: path } of elsewhere) {
    expect(existsSync(join(root, path)), path).toBe(true);
    expect(readFileSync(join(root, path), 'utf8'), why).toContain(`'${code}'`);
  }
});

for (const scene of scenes) {
  const { code, name = '' } = scene;
  test(`${code} ${name}`.trim(), async () => {
    const stage = scene.options ? await windows(scene) : await sharedStage();
    const { mine, other } = stage;
    await scene.enter?.(stage);
    const title = `while ${code} ${name}`.trim();
    if (!scene.closed) {
      await told(mine, code);
      const [here, there] = [await write(mine, title), await write(other, title)];
      await shows(other, here);
      await shows(mine, there);
      if (scene.pushes) {
        await mine.evaluate(() => kit.made.pushed);
        expect(await onServer(title)).not.toEqual([]);
        await told(mine, code);
      }
    }
    await scene.leave(stage);
    await ended(stage);
    if (scene.closed) await Promise.all([mine, other].map((page) => write(page, title)));
    await ended(stage);
    expect(await onServer(title)).toHaveLength(2);
    if (stage === shared) return;
    for (const page of [mine, other]) await page.close();
  });
}

/** The server refuses all updates of a push by this code. */
const refusing =
  (code: string) =>
  (body: Buffer): Answer => {
    const { updates } = JSON.parse(body.toString()) as {
      updates: { id: string; actions: { id: string }[] }[];
    };
    const results = updates.map(({ id, actions }) => ({
      ...{ id, status: 'rejected' },
      rejected: [{ op: 0, actions: actions.map((action) => action.id), code, detail: 'by order' }],
    }));
    return {
      ...{ status: 200, type: 'application/json' },
      body: JSON.stringify({ time: Date.now(), results }),
    };
  };

test('moves a change rejected by any code to the inbox, and pushes the rest', async () => {
  const stage = await sharedStage();
  const { mine, other } = stage;
  const codes = listedCodes().inbox;
  for (const code of codes) {
    proxy.rules({ path: /\/v1\/push/, times: 1, answer: refusing(code) });
    const id = await write(mine, `refused ${code}`);
    const isIn = (key: string, wanted: string) =>
      db.conflicts.all().some((entry) => entry.key === key && entry.code === wanted);
    await until(mine, isIn, [id, code]);
    expect(await mine.evaluate(() => kit.outcome(() => kit.made.confirmed))).toMatchObject({
      code,
    });
    await write(mine, `beside ${code}`);
    await mine.evaluate(() => kit.made.confirmed);
  }
  // Something on the way that takes nothing so large, and says so by a page of its own.
  const page = { status: 413, type: 'text/html', body: '<h1>Request Entity Too Large</h1>' };
  proxy.rules({ path: /\/v1\/push/, times: 1, answer: page });
  await write(mine, 'too large for a proxy');
  expect(await mine.evaluate(() => kit.outcome(() => kit.made.pushed))).toMatchObject({
    code: 'too_large',
  });
  // No right to write there, says the server itself.
  await mine.evaluate(async () => {
    const made = db.transact((tx) => tx.notes.create({ title: 'elsewhere', realm: 'nobody' }));
    await kit.outcome(() => made.confirmed);
  });
  await until(other, (count) => db.conflicts.all().length === count, [codes.length + 2]);
  await other.evaluate(async () => {
    const [first, ...others] = db.conflicts.all();
    for (const { id } of others) await db.conflicts.resolve(id, 'discard');
    await db.conflicts.resolve(first?.id as number, 'retry');
  });
  await until(mine, () => db.conflicts.all().length === 0, []);
  await ended(stage);
  expect(await onServer('refused')).toHaveLength(1);
  expect(await onServer('beside')).toHaveLength(codes.length);
});
