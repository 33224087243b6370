// The states of docs/stuck.md in a browser: how a window enters and leaves each.
import type { Page } from 'puppeteer-core';
import type { StartOptions } from '../page/page.ts';
import type { Profile } from './browser.ts';
import type { Answer, FaultProxy, Rule } from './fault-proxy.ts';
import { inStep, opened, reopened } from './kit.ts';
import type { Served } from './served.ts';
import { TestServer } from './server.ts';
import { signToken } from './tokens.ts';
import { until } from './until.ts';

export const SECRET = 'only-for-these-tests-0123456789abcdef';

/** Of one scene: two windows of one database, and the proxy between them and the server. */
export interface Stage {
  readonly profile: Profile;
  readonly served: Served;
  readonly proxy: FaultProxy;
  /** How its windows were opened. */
  readonly options: StartOptions & { readonly user: string };
  readonly mine: Page;
  readonly other: Page;
}

export interface Scene {
  readonly code: string;
  /** Where a code has several. */
  readonly name?: string;
  /** It has windows of its own, opened with these options; the other scenes share a pair. */
  readonly options?: StartOptions;
  /** Before they are opened. */
  before?(stage: Omit<Stage, 'mine' | 'other'>): Promise<void> | void;
  enter?(stage: Stage): Promise<unknown> | unknown;
  /** Leaves the state as docs/stuck.md says. */
  leave(stage: Stage): Promise<unknown> | unknown;
  /** Changes made in this state still reach the server. */
  readonly pushes?: true;
  /** Nothing can be written meanwhile. */
  readonly closed?: true;
}

/** A code that no browser can be brought to show, with the test that has it. */
export interface Elsewhere {
  readonly code: string;
  readonly why: string;
  readonly test: string;
}

const kApi = /\/v1\/(push|pull)/;
const kPull = /\/v1\/pull/;
const kPush = /\/v1\/push/;

/** An answer as of the server, or of a proxy before it. */
const problem = (status: number, code: string): Answer => ({
  status,
  type: 'application/problem+json',
  body: JSON.stringify({ status, code, detail: `by order of the test: ${code}` }),
});

/** Of a server that answers so until it is sane again. */
function answered(code: string, rule: Omit<Rule, 'path'>, path = kApi): Scene {
  return {
    code,
    enter: ({ proxy }) => proxy.rules({ path, ...rule }),
    leave: ({ proxy }) => proxy.rules(),
  };
}

/** Of a server that rejects pulls: changes are still pushed. */
const refused = (status: number, code: string): Scene => ({
  ...answered(code, { answer: problem(status, code) }, kPull),
  pushes: true,
});

const both = ({ mine, other }: Stage, run: (page: Page) => Promise<unknown>) =>
  Promise.all([mine, other].map(run));

/** Both windows' `token()` gives this from now on. */
const login = (stage: Stage, token = `dev:${stage.options.user}`) =>
  both(stage, (page) =>
    page.evaluate((given) => {
      kit.tokens = [given];
    }, token),
  );

/** Reloads both windows. */
const reload = (stage: Stage, more: StartOptions = {}) =>
  both(stage, (page) => reopened(page, { ...stage.options, ...more }));

/** Runs in the sync workers of both windows, which have started. */
const inWorkers = (stage: Stage, script: string) =>
  both(stage, async (page) => {
    const workers = page.workers();
    if (workers.length === 0) throw new Error('a window has no sync worker');
    await Promise.all(workers.map((worker) => worker.evaluate(script)));
  });

/** A call of IndexedDB fails as an engine's does, until `globalThis.mend()`. */
const breakStorage = (of: string, call: string) => `{
  const whole = ${of}.prototype.${call};
  ${of}.prototype.${call} = () => { throw new DOMException('by order of the test', 'UnknownError'); };
  globalThis.mend = () => { ${of}.prototype.${call} = whole; };
}`;

/** This call of IndexedDB fails in the workers of windows whose workers run: they have answered. */
const withoutStorage = (code: string, of: string, call: string): Scene => ({
  code,
  options: {},
  async enter(stage) {
    // A window may be in step by what the worker of the other has pulled, before its own has started.
    await both(stage, (page) => page.evaluate(() => db.sync.now()));
    await inWorkers(stage, breakStorage(of, call));
  },
  leave: (stage) => inWorkers(stage, 'globalThis.mend()'),
});

/** The lease as a release of this version has left it. */
const leaveLease = (page: Page, user: string, v: number) =>
  page.evaluate(
    async (name, version) => {
      const raw = await kit.openRaw(`skerry/test/${name}`);
      const tx = raw.transaction('sync', 'readwrite');
      const store = tx.objectStore('sync');
      const before = store.get('push');
      before.onsuccess = () => store.put({ ...before.result, v: version }, 'push');
      await new Promise((resolve) => {
        tx.oncomplete = resolve;
      });
      raw.close();
    },
    user,
    v,
  );

/** A server of the next release, started once. */
class NextRelease {
  #server: Promise<TestServer> | null = null;

  get({ site }: Served): Promise<TestServer> {
    this.#server ??= TestServer.start({ files: site.files, schema: site.newerSchema });
    return this.#server;
  }

  async stop(): Promise<void> {
    await (await this.#server)?.stop();
  }
}
export const nextRelease = new NextRelease();
const toNext = async ({ proxy, served }: Pick<Stage, 'proxy' | 'served'>) =>
  proxy.retarget((await nextRelease.get(served)).url);

export const scenes: readonly Scene[] = [
  answered('network', { fault: 'refuse' }),
  answered('timeout', { hold: new Promise(() => {}) }),
  answered('slow_body', { answer: problem(408, 'slow_body') }),
  answered('server', { answer: { status: 502, type: 'text/html', body: 'no' } }),
  answered('busy', { answer: problem(503, 'busy') }),
  answered('rights_unavailable', { answer: problem(503, 'rights_unavailable') }),
  answered('stopping', { answer: problem(503, 'stopping') }),
  answered('internal', { answer: problem(500, 'internal') }),
  answered('rate_limited', { answer: problem(429, 'rate_limited') }),
  answered('not_json', { fault: 'html' }),
  answered('bad_answer', { fault: 'wrong' }),
  answered('too_large', { fault: 'endless' }),
  {
    code: 'no_progress',
    async enter({ proxy, mine }) {
      const body = '{"time":1,"results":[]}';
      proxy.rules({ path: kPush, answer: { status: 200, type: 'application/json', body } });
      await mine.evaluate(() => db.mutate.addNote({ title: 'not taken' }).durable);
    },
    leave: ({ proxy }) => proxy.rules(),
  },
  refused(422, 'invalid'),
  refused(422, 'limit'),
  refused(400, 'bad_request'),
  refused(400, 'bad_json'),
  refused(403, 'forbidden'),
  refused(404, 'not_found'),
  refused(405, 'method_not_allowed'),
  refused(415, 'unsupported_encoding'),
  {
    ...answered(
      'refused',
      { answer: { status: 404, type: 'application/json', body: '{}' } },
      kPull,
    ),
    pushes: true,
  },
  { code: 'needs_auth', options: { tokens: ['fails'] }, leave: (stage) => login(stage) },
  {
    code: 'unauthenticated',
    name: 'there is no token',
    options: { tokens: [null] },
    async leave(stage) {
      await login(stage);
      await stage.mine.evaluate(() => db.sync.now());
    },
  },
  {
    code: 'unauthenticated',
    name: 'the token is refused',
    options: { tokens: [signToken(SECRET, 'expired', -60)], user: 'expired' },
    leave: (stage) => login(stage),
  },
  { code: 'wrong_user', options: { tokens: ['dev:somebody'] }, leave: (stage) => login(stage) },
  {
    code: 'wrong_user',
    name: 'that the server shows',
    options: { tokens: ['opaque'] },
    before: ({ proxy }) => proxy.rules({ path: /\/v1\//, token: 'dev:somebody' }),
    leave: ({ proxy, options }) => proxy.rules({ path: /\/v1\//, token: `dev:${options.user}` }),
  },
  {
    code: 'client_bound',
    options: { tokens: ['opaque'] },
    before: ({ proxy }) =>
      proxy.rules(
        { path: kPush, token: 'dev:somebody', fault: 'cut-after' },
        { path: kPull, answer: problem(422, 'invalid') },
      ),
    async enter({ mine, proxy, options }) {
      const sent = proxy.next(kPush);
      await mine.evaluate(() => db.mutate.addNote({ title: 'sent as somebody' }).durable);
      await sent;
      proxy.rules({ path: /\/v1\//, token: `dev:${options.user}` });
    },
    async leave(stage) {
      const text = await stage.mine.evaluate(async () => {
        const file = await db.export({ pendingOnly: true });
        await db.logout({ unsynced: 'discard' });
        return file.text();
      });
      await reload(stage);
      await stage.mine.evaluate((file) => db.import(new Blob([file])), text);
    },
  },
  {
    code: 'client-old',
    options: {},
    before: toNext,
    leave: (stage) => reload(stage, { schema: 'newer' }),
  },
  { code: 'server-old', options: { schema: 'newer' }, leave: toNext },
  {
    code: 'newer_tab',
    options: {},
    async enter(stage) {
      await both(stage, (page) => inStep(page));
      await leaveLease(stage.mine, stage.options.user, 99);
    },
    // This release reads the records that were marked as a newer release's: there is no other release here.
    async leave(stage) {
      await leaveLease(stage.mine, stage.options.user, 1);
      await reload(stage);
    },
  },
  {
    code: 'scope_left_out',
    options: { minRank: 1_000_000 },
    pushes: true,
    async enter({ mine, other }) {
      const take = async (page: Page, from: number) =>
        page.evaluate((first) => {
          const ranks = Array.from({ length: 6000 }, (_, i) => first + i);
          const scope = db.sync.scope(db.notes.where('rank', 'in', ranks));
          kit.scope = scope;
        }, from);
      await take(other, 0);
      await other.evaluate(() => kit.scope.ready);
      await take(mine, 10_000);
      const { code } = (await mine.evaluate(() => kit.outcome(() => kit.scope.ready))) as {
        code?: string;
      };
      if (code !== 'scope_left_out') throw new Error(`its ready ends with ${code}`);
    },
    leave: ({ other }) => other.evaluate(() => kit.scope.unsubscribe()),
  },
  withoutStorage('storage', 'IDBObjectStore', 'put'),
  withoutStorage('storage_lost', 'IDBDatabase', 'transaction'),
  {
    code: 'image',
    options: { name: 'filled' },
    // Of more than 2,000 rows, which come as an image.
    async before({ profile, proxy, options }) {
      const page = await opened(profile, proxy.url, { ...options, name: 'filler' });
      await page.evaluate(async (realm) => {
        const rows = Array.from({ length: 2100 }, (_, i) => ({ title: `Row ${i}`, realm }));
        await db.transact((tx) => tx.notes.createMany(rows)).confirmed;
      }, `user:${options.user}`);
      await page.close();
      proxy.rules({ path: /\/v1\/snapshot\//, fault: 'html' });
    },
    leave: ({ proxy }) => proxy.rules(),
  },
  {
    code: 'worker',
    options: {},
    before: ({ proxy }) => proxy.rules({ path: /\/worker\.js/, answer: problem(404, 'not_found') }),
    leave: ({ proxy }) => proxy.rules(),
  },
  {
    code: 'closed',
    options: {},
    closed: true,
    async enter({ mine, other }) {
      await other.evaluate(() => db.logout({ unsynced: 'keep' }));
      await until(mine, () => kit.happened.closed[0] === 'logout', []);
    },
    leave: (stage) => reload(stage),
  },
];

export const elsewhere: readonly Elsewhere[] = [
  {
    code: 'quota',
    why: 'Chromium measures now and then what a site has left: it takes a profile of its own, with no other window.',
    test: 'test/browser/bad-input.test.ts',
  },
  ...['storage_refused', 'storage_newer', 'storage_timeout', 'unsupported'].map((code) => ({
    code,
    why: 'A window whose own storage opens, and its Worker’s does not, or with wasm of two versions.',
    test: 'test/js/lifecycle.test.ts',
  })),
  {
    code: 'wasm',
    why: 'A window hands its Worker the module that it has itself: it takes a Worker that gets none.',
    test: 'test/browser/loading.test.ts',
  },
  {
    code: 'bad_token',
    why: 'The token is refused before anything is sent, in a browser as in Node.',
    test: 'test/js/user-names.test.ts',
  },
  {
    code: 'invalid_request',
    why: 'No request of the package is known that an engine cannot build.',
    test: 'test/js/remote.test.ts',
  },
  {
    code: 'adopt_incomplete',
    why: 'No local database is known of which the package would lose something.',
    test: 'test/js/adopt-incomplete.test.ts',
  },
  {
    code: 'core_failed',
    why: 'No input is known by which the core traps.',
    test: 'test/js/core-failed.test.ts',
  },
];
