// Goal: the sync worker runs, or the status says what is missing, where a page enforces Trusted Types, and where the package lies on
// another origin. Method: real Chromium, the shipped files behind servers with the headers in question, the real server.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { Front } from '../package/support/front.ts';
import { Stage } from './support/served.ts';

const stage = new Stage();
const empty = mkdtempSync(join(tmpdir(), 'skerry-places-'));
writeFileSync(join(empty, 'index.html'), '<!doctype html><title>Empty</title>');

afterAll(() => rmSync(empty, { recursive: true }));

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function front(policy: string | null, more: object = {}): Promise<Front> {
  const sync = stage.url;
  const started = await Front.start({ files: stage.served.site.files, sync, policy, ...more });
  closing.push(() => started.close());
  return started;
}

let users = 0;
/** Opens a database with the package from an address, and writes. Resolves with `confirmed`, or what the status says. */
async function outcome(page: string, from = '/index.js', options = '{}'): Promise<string> {
  const window = await stage.profile.window({ url: page, unready: true });
  closing.push(() => window.close());
  const code = `(async () => {
    const { http, open, schema, t, table } = await import(${JSON.stringify(from)});
    const lists = table({ name: t.string(), slug: t.string().optional().index({ unique: true }) });
    const list = t.ref('lists', { onDelete: 'cascade' }).optional();
    const props = { title: t.string(), body: t.string().optional(), rank: t.number().default(0) };
    const notes = table({ ...props, due: t.date().optional(), list });
    const user = 'place-${++users}';
    const remote = http('/v1', { token: async () => 'dev:' + user });
    const app = schema({ lists, notes }, { version: 2 });
    const db = await open({ name: 'places', schema: app, user, remote, scopes: 'all', ...${options} });
    const made = db.transact((tx) => tx.notes.create({ title: 'x' }));
    const failed = new Promise((resolve) => db.sync.subscribe(({ error }) => error && resolve(error)));
    const said = await Promise.race([made.confirmed.then(() => 'confirmed'), failed.then((error) => error.code + ': ' + error.message)]);
    return said + ' ' + db.sync.status.mode + ' ' + db.sync.status.modeReason;
  })()`;
  return (await window.evaluate(code)) as string;
}

/** The page's own icon is a data: address. */
const base =
  "default-src 'self'; img-src 'self' data:; script-src 'self' 'wasm-unsafe-eval'; report-uri /csp-report";
const enforced = `${base}; require-trusted-types-for 'script'`;

describe('under Trusted Types', () => {
  test.each([
    ['enforced, without a list', enforced],
    ['enforced, with the policy in the list', `${enforced}; trusted-types other skerry`],
    ['not enforced, and the list lacks the policy', `${base}; trusted-types other`],
    ['not there', base],
  ])('the sync worker runs: %s', async (_name, policy) => {
    const { url, violations } = await front(policy);
    expect(await outcome(url)).toMatch(/^confirmed lease/);
    const refused = violations.filter((text) => !text.includes('trusted-types other'));
    expect(refused).toEqual([]);
  });

  test('a service worker is registered', async () => {
    const { url, violations } = await front(`${enforced}; trusted-types skerry`);
    const options = "{ serviceWorker: '/skerry-sw.js' }";
    expect(await outcome(url, '/index.js', options)).toMatch(/^confirmed service-worker/);
    expect(violations).toEqual([]);
  });

  test('an error names the policy that the page does not allow', async () => {
    const { url } = await front(`${enforced}; trusted-types other`);
    expect(await outcome(url)).toMatch(
      /^worker: .*Trusted Types.*policy "skerry": add it to trusted-types\./,
    );
    const options = "{ serviceWorker: '/skerry-sw.js' }";
    expect(await outcome(url, '/index.js', options)).toMatch(
      /^worker: .*Trusted Types.*policy "skerry": add it to trusted-types\./,
    );
  });
});

describe('with the package on another origin', () => {
  const shared = { 'access-control-allow-origin': '*' };
  test('the sync worker runs as a module that imports it', async () => {
    const cdn = await front(null, { headers: shared });
    const { url } = await front(null, { files: empty });
    expect(await outcome(url, `${cdn.url}/index.js`)).toMatch(/^confirmed lease/);
  });

  test('the status names the missing source where blob: is not allowed', async () => {
    const cdn = await front(null, { headers: shared });
    const policy = `default-src 'self' ${cdn.url}; script-src 'self' ${cdn.url} 'wasm-unsafe-eval'`;
    const { url } = await front(policy, { files: empty });
    expect(await outcome(url, `${cdn.url}/index.js`)).toMatch(/^worker: .*worker-src blob:/);
  });

  test('or where its copy of the worker does not allow CORS', async () => {
    const cdn = await front(null, { headers: shared });
    const closed = await front(null);
    const { url } = await front(null, { files: empty });
    const options = `{ workerUrl: new URL('${closed.url}/worker.js') }`;
    expect(await outcome(url, `${cdn.url}/index.js`, options)).toMatch(
      /^worker: .*another origin: it needs CORS there/,
    );
  });
});

test('files that are not there are named, and where it is said which have to be', async () => {
  const { url } = await front(null);
  const worker = await outcome(
    url,
    '/index.js',
    "{ workerUrl: new URL('/nowhere/worker.js', location.href) }",
  );
  expect(worker).toMatch(
    /^worker: .*\/nowhere\/worker\.js.*README\.md, "Bundlers, servers, policies"/,
  );
  const wasm = "{ wasmUrl: new URL('/nowhere/skerry.wasm', location.href) }";
  await expect(outcome(url, '/index.js', wasm)).rejects.toThrow(
    /nowhere\/skerry\.wasm answered 404\. README\.md, "Bundlers, servers, policies"/,
  );
});
