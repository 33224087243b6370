// Goal: mistakes of an application, a user, a network or a server give a clear typed error with a stable code; pending
// changes are kept, and the application continues. Method: real Chromium, real server.
import type { Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Outcome } from './page/page.ts';
import { limitRoom, Profile } from './support/browser.ts';
import { FaultProxy } from './support/fault-proxy.ts';
import { bare, inStep, opened, reopened } from './support/kit.ts';
import { type Served, serveSite } from './support/served.ts';
import { TestServer } from './support/server.ts';
import { signToken } from './support/tokens.ts';
import { until } from './support/until.ts';

const SECRET = 'only-for-these-tests-0123456789abcdef';

let served: Served;
let proxy: FaultProxy;
let profile: Profile;

beforeAll(async () => {
  served = await serveSite({ secret: SECRET });
  proxy = await FaultProxy.start(served.server.url);
  profile = new Profile();
});

afterEach(() => proxy.rules());

afterAll(async () => {
  await profile?.remove();
  await proxy?.close();
  await served?.stop();
});

/** Makes a note, and proves that it gets to the server: the application runs. */
async function stillWorks(page: Page): Promise<void> {
  const confirmed = await page.evaluate(async () => {
    const made = db.mutate.addNote({ title: 'still here' });
    await made.confirmed;
    return db.notes.get(made.result)?.title;
  });
  expect(confirmed).toBe('still here');
}

const refusal = (name: string, code: string) =>
  expect.objectContaining({ ok: false, typed: true, name, code });

describe('mistakes of the application', () => {
  let page: Page;

  beforeAll(async () => {
    page = await opened(profile, proxy.url, { user: 'mistakes' });
    await inStep(page);
  });

  const attempt = (call: () => unknown): Promise<Outcome> =>
    page.evaluate(`kit.outcome(${call})`) as Promise<Outcome>;

  test('rejects a table, prop or type that the schema does not have', async () => {
    expect(
      await attempt(() =>
        db.transact((tx) => tx.notes.create({ titel: 'x', title: 'y' } as never)),
      ),
    ).toEqual(refusal('SchemaError', 'unknown_prop'));
    expect(
      await attempt(() => db.transact((tx) => tx.notes.create({ title: 5 } as never))),
    ).toEqual(refusal('ValidationError', 'wrong_type'));
    expect(await attempt(() => db.transact((tx) => tx.notes.create({} as never)))).toEqual(
      refusal('ValidationError', 'missing_prop'),
    );
    expect(await attempt(() => db.notes.where('titel' as never, '=', 'x' as never).all())).toEqual(
      refusal('SchemaError', 'unknown_prop'),
    );
    expect(await attempt(() => db.notes.include('nothing' as never).all())).toEqual(
      expect.objectContaining({ ok: false, typed: true, name: 'SchemaError' }),
    );
    expect(
      await attempt(() => {
        const other = { table: 'nothing', where: ['true'] };
        return db.sync.scope(other as never);
      }),
    ).toEqual(expect.objectContaining({ ok: false, typed: true }));
    await stillWorks(page);
  });

  test('rejects an invalid id, number or text', async () => {
    expect(
      await attempt(() => db.transact((tx) => tx.notes.create({ id: 'no-uuid', title: 'x' }))),
    ).toEqual(refusal('ValidationError', 'invalid_id'));
    expect(
      await attempt(() => db.transact((tx) => tx.notes.update(7 as never, { title: 'x' }))),
    ).toEqual(refusal('ValidationError', 'invalid_id'));
    expect(
      await attempt(() => db.transact((tx) => tx.notes.create({ title: 'x', rank: Number.NaN }))),
    ).toEqual(expect.objectContaining({ ok: false, typed: true, name: 'ValidationError' }));
    expect(
      await attempt(() => db.transact((tx) => tx.notes.create({ title: 'half \ud800 pair' }))),
    ).toEqual(expect.objectContaining({ ok: false, typed: true, name: 'ValidationError' }));
    await stillWorks(page);
  });

  test('keeps nothing of a mutation with too many operations or too large an object', async () => {
    const before = await page.evaluate(() => db.notes.count());
    expect(
      await attempt(() =>
        db.transact((tx) => {
          for (let i = 0; i <= 10_000; i++) tx.notes.create({ title: 'one of too many' });
        }),
      ),
    ).toEqual(refusal('LimitError', 'limit'));
    expect(
      await attempt(() =>
        db.transact((tx) => tx.notes.create({ title: 'large', body: 'x'.repeat(1 << 20) })),
      ),
    ).toEqual(refusal('LimitError', 'limit'));
    expect(await page.evaluate(() => db.notes.count())).toBe(before);
    await stillWorks(page);
  });

  test('changes nothing when a mutator throws or is asynchronous', async () => {
    const before = await page.evaluate(() => db.notes.count());
    expect(
      await attempt(() =>
        db.transact((tx) => {
          tx.notes.create({ title: 'gone again' });
          throw new RangeError('from the mutator');
        }),
      ),
    ).toEqual(expect.objectContaining({ ok: false, typed: false, name: 'RangeError' }));
    expect(
      await attempt(() =>
        db.transact((async (tx: { notes: { create(row: object): string } }) => {
          tx.notes.create({ title: 'gone again' });
        }) as never),
      ),
    ).toEqual(refusal('ValidationError', 'async_mutator'));
    expect(await page.evaluate(() => db.notes.count())).toBe(before);
    await stillWorks(page);
  });

  test('rejects calls after close', async () => {
    await page.evaluate(() => db.close());
    expect(await attempt(() => db.transact((tx) => tx.notes.create({ title: 'late' })))).toEqual(
      refusal('ClosedError', 'closed'),
    );
    expect(await attempt(() => db.sync.now())).toEqual(refusal('ClosedError', 'closed'));
    await page.close();
  });
});

describe('versions', () => {
  test('keeps pending changes for the next version when the server drops this schema', async () => {
    const first = await TestServer.start({ files: served.site.files, schema: served.site.schema });
    const between = await FaultProxy.start(first.url);
    let second: TestServer | null = null;
    try {
      const page = await opened(profile, between.url, { user: 'old' });
      await inStep(page);
      between.rules({ path: /\/v1\//, fault: 'refuse' });
      const id = await page.evaluate(async () => {
        const made = db.mutate.addNote({ title: 'made by the old version' });
        await made.durable;
        return made.result;
      });
      await first.kill();
      second = await TestServer.start({
        files: served.site.files,
        schema: served.site.newerSchema,
        data: first.data,
      });
      between.retarget(second.url);
      between.rules();
      await page.evaluate(() => kit.outcome(() => db.sync.now()));
      await until(page, () => kit.happened.updateNeeded.includes('client-old'), []);
      const status = await page.evaluate(() => {
        const { phase, pending, error } = db.sync.status;
        return {
          phase,
          pending,
          name: error?.name,
          code: error?.code,
          retryable: error?.retryable,
        };
      });
      expect(status).toEqual({
        phase: 'blocked',
        pending: 1,
        name: 'UpdateNeededError',
        code: 'client-old',
        retryable: false,
      });
      await reopened(page, { user: 'old', schema: 'newer' });
      await inStep(page);
      expect(await page.evaluate((key) => db.notes.get(key)?.title, id)).toBe(
        'made by the old version',
      );
      await page.close();
    } finally {
      await between.close();
      await second?.stop();
      await first.stop();
    }
  });
});

describe('storage', () => {
  test("open() rejects a newer release's database, and works once that is gone", async () => {
    const page = await bare(profile, proxy.url);
    await page.evaluate(async () => {
      (await kit.openRaw('skerry/test/refused', 99)).close();
    });
    const refused = await page.evaluate(() => kit.outcome(() => kit.start({ user: 'refused' })));
    expect(refused).toEqual(refusal('StorageError', 'storage_newer'));
    // Not even deleted: the data are those of a newer release.
    const kept = await page.evaluate(() =>
      kit.outcome(() => kit.deleteDatabase('test', { user: 'refused' })),
    );
    expect(kept).toEqual(refusal('StorageError', 'storage_newer'));
    await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const request = indexedDB.deleteDatabase('skerry/test/refused');
          request.onsuccess = resolve;
          request.onerror = () => reject(request.error);
        }),
    );
    await page.evaluate(() => kit.start({ user: 'refused' }));
    await stillWorks(page);
    await page.close();
  });

  test('rejects durable with a QuotaError when storage is full; resumes with room', async () => {
    const small = new Profile();
    try {
      const page = await bare(small, proxy.url);
      const enlarge = await limitRoom(page, proxy.url);
      await page.evaluate(() => kit.start({ user: 'full' }));
      await inStep(page);
      proxy.rules({ path: /\/v1\//, fault: 'refuse' });
      await page.evaluate(() => db.mutate.addNote({ title: 'large before' }).durable);
      const full = await page.evaluate(async () => {
        const durable: string[] = [];
        for (let i = 0; i < 400; i++) {
          const made = db.mutate.addNote({ title: `large ${i}`, body: kit.randomText(250_000) });
          const seen = db.notes.get(made.result)?.title;
          const outcome = await kit.outcome(() => made.durable);
          if (!outcome.ok)
            return { seen, outcome, after: db.notes.get(made.result) ?? null, durable };
          durable.push(`large ${i}`);
        }
        return { durable };
      });
      expect(full).toMatchObject({ outcome: refusal('QuotaError', 'quota'), after: null });
      expect(full.seen).toBe(`large ${full.durable.length}`);
      expect(await page.evaluate(() => kit.happened.storageFailed)).toContain('quota');
      await enlarge();
      proxy.rules();
      await page.evaluate(() => kit.outcome(() => db.sync.now()));
      await stillWorks(page);
      await inStep(page);
      // The changes that were durable before are confirmed; the rejected one is nowhere.
      const titles = await page.evaluate(() =>
        db.notes
          .where('title', 'like', 'large %')
          .all()
          .map(({ title }) => title),
      );
      expect(titles.sort()).toEqual(['large before', ...full.durable].sort());
      expect(await page.evaluate(() => db.sync.status.error)).toBeNull();
    } finally {
      await small.remove();
    }
  });
});

describe('authentication', () => {
  test('asks for another token when one expires; without one, changes wait', async () => {
    const sub = 'expiring';
    const old = signToken(SECRET, sub, -60);
    const fresh = signToken(SECRET, sub, 3600);
    const page = await opened(profile, proxy.url, { user: sub, tokens: [old, fresh] });
    await inStep(page);
    expect(await page.evaluate(() => kit.happened.tokens)).toEqual(['start', 'expired']);
    await reopened(page, { user: sub, tokens: [old, null] });
    await until(page, () => db.sync.status.needsAuth, []);
    const status = await page.evaluate(async () => {
      await db.mutate.addNote({ title: 'waits for a token' }).durable;
      const { phase, pending, error } = db.sync.status;
      return { phase, pending, name: error?.name };
    });
    expect(status).toEqual({ phase: 'blocked', pending: 1, name: 'AuthError' });
    const tokens = await page.evaluate(() => kit.happened.tokens);
    expect(tokens.slice(0, 2)).toEqual(['start', 'expired']);
    await reopened(page, { user: sub, tokens: [fresh] });
    await inStep(page);
    await stillWorks(page);
    await page.close();
  });
});

describe('a faulty network', () => {
  test('reports a typed error when the server answers HTML, and recovers on its own', async () => {
    const page = await opened(profile, proxy.url, { user: 'hotel' });
    await inStep(page);
    proxy.rules({ path: /\/v1\/(push|pull)/, fault: 'html' });
    await page.evaluate(() => db.mutate.addNote({ title: 'from the hotel' }).durable);
    await until(page, () => db.sync.status.error !== null, []);
    const status = await page.evaluate(() => {
      const { pending, phase, error } = db.sync.status;
      return { pending, phase, name: error?.name, code: error?.code, retryable: error?.retryable };
    });
    expect(status).toEqual({
      pending: 1,
      phase: 'waiting',
      name: 'ServerError',
      code: 'not_json',
      retryable: true,
    });
    proxy.rules();
    const ms = await until(page, () => db.sync.status.pending === 0, [], 60_000);
    console.log(`recovered ${Math.round(ms)} ms after the network told the truth again`);
    expect(await page.evaluate(() => db.sync.status.error)).toBeNull();
    await page.close();
  });

  test('repeats a request whose answer is cut off', async () => {
    const page = await opened(profile, proxy.url, { user: 'cut' });
    await inStep(page);
    proxy.rules({ path: /\/v1\/pull/, fault: 'cut-after', times: 1 });
    await page.evaluate(() => kit.outcome(() => db.sync.now()));
    await stillWorks(page);
    await page.close();
  });
});
