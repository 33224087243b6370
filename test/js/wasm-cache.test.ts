/** The wasm of a service worker: what is taken from an address, what is kept, and what a start needs. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WasmCache } from '../../js/host/wasm-cache.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const hash = (text: string) => createHash('sha256').update(text).digest('hex');

/** What lies at which address, and what was asked for. */
const served = new Map<string, string>();
let asked: string[] = [];
/** Cache Storage of one cache. */
const kept = new Map<string, Response>();

beforeEach(() => {
  for (const map of [served, kept]) map.clear();
  asked = [];
  vi.stubGlobal('location', { href: 'http://app.test/sw.js' });
  vi.stubGlobal('caches', {
    open: async () => ({
      match: async (key: string) => kept.get(key)?.clone(),
      put: async (key: string, answer: Response) => void kept.set(key, answer),
      keys: async () => [...kept.keys()].map((url) => ({ url })),
      delete: async ({ url }: { url: string }) => kept.delete(url),
    }),
  });
  vi.stubGlobal('fetch', async (url: URL) => {
    asked.push(url.href);
    const body = served.get(url.href);
    return new Response(body ?? 'nothing', { status: body === undefined ? 404 : 200 });
  });
});
afterEach(() => vi.unstubAllGlobals());

const beside = (name: string) => new URL(name, 'http://app.test/');
const cacheOf = (content: string) => new WasmCache({ 'a.wasm': hash(content) }, beside);
const where = new URL('http://app.test/assets/a-1234.wasm');

async function content(found: Response | Uint8Array): Promise<string> {
  return found instanceof Response ? found.text() : new TextDecoder().decode(found);
}

test('a file with another hash at the address is neither used nor kept', async () => {
  served.set(where.href, 'of another version');
  await expect(cacheOf('mine').get(where, 'a.wasm')).rejects.toMatchObject({
    code: 'wasm',
    retryable: true,
  });
  expect(kept.size).toBe(0);
  // Beside the script there is the right one.
  served.set('http://app.test/a.wasm', 'mine');
  expect(await cacheOf('mine').get(where, 'a.wasm')).toEqual(bytes('mine'));
});

test('a file that was fetched once is there offline, for this version only', async () => {
  served.set(where.href, 'mine');
  await cacheOf('mine').get(where, 'a.wasm');
  served.clear();
  asked = [];
  expect(await content(await cacheOf('mine').get(where, 'a.wasm'))).toBe('mine');
  expect(asked).toEqual([]);
  await expect(cacheOf('newer').get(where, 'a.wasm')).rejects.toMatchObject({ code: 'wasm' });
});

test('at its installation a version fetches its own and deletes what others have left', async () => {
  served.set('http://app.test/a.wasm', 'older');
  await cacheOf('older').fill();
  served.set('http://app.test/a.wasm', 'newer');
  await cacheOf('newer').fill();
  expect([...kept.keys()]).toEqual([`http://app.test/skerry-wasm/${hash('newer')}/a.wasm`]);
});
