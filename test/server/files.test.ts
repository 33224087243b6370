// Goal: the static files of a page are served as browsers need them, no file outside of the folder is, and pages of
// other origins are accepted only by name. Method: a real server on a folder made here.

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const kMap = ' { "imports": {} } ';
const kOther = 'https://elsewhere.example';
const server = new SharedServer((folder) => {
  const files = join(folder.path, 'files');
  mkdirSync(join(files, 'deep'), { recursive: true });
  writeFileSync(join(files, 'index.html'), '<!doctype html><title>Skerry</title>');
  writeFileSync(
    join(files, 'map.html'),
    `<script type="importmap">${kMap}</script><script>1</script>`,
  );
  writeFileSync(join(files, 'main.js'), `// ${'x'.repeat(5_000)}`);
  writeFileSync(join(files, 'core.wasm'), Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  writeFileSync(join(files, 'deep', 'å b.txt'), 'deep');
  writeFileSync(join(files, '.env'), 'secret');
  mkdirSync(join(files, '.well-known'));
  writeFileSync(join(files, '.well-known', 'security.txt'), 'Contact: us');
  writeFileSync(join(folder.path, 'secret.txt'), 'secret');
  return { args: ['--dev', '--static', files, '--origin', kOther] };
});

/** A request whose path is sent unchanged; fetch would normalise it. */
function raw(path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const asked = request({ hostname, port, path }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('the policy of a page allows its import map, and no other script in it', async () => {
  const { headers } = await fetch(`${server.url}/map.html`);
  const hash = createHash('sha256').update(kMap).digest('base64');
  const [, scripts] =
    /script-src ([^;]*);/.exec(headers.get('content-security-policy') ?? '') ?? [];
  expect(scripts).toBe(`'self' 'wasm-unsafe-eval' 'sha256-${hash}'`);
});

test.each([
  ['/', 'text/html; charset=utf-8'],
  ['/main.js', 'text/javascript; charset=utf-8'],
  ['/core.wasm', 'application/wasm'],
  ['/deep/%C3%A5%20b.txt', 'text/plain; charset=utf-8'],
  ['/.well-known/security.txt', 'text/plain; charset=utf-8'],
])('%s is served as %s, under a strict policy', async (path, type) => {
  const response = await fetch(server.url + path);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe(type);
  const policy = response.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
  expect(policy).not.toContain("'unsafe-eval'");
  // The server's own socket, and no other.
  const { host } = new URL(server.url);
  expect(policy).toContain(`connect-src 'self' ws://${host} wss://${host};`);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
});

test('compresses a file if the client accepts it, and sends no unchanged file', async () => {
  const packed = await fetch(`${server.url}/main.js`, { headers: { 'accept-encoding': 'gzip' } });
  expect(packed.headers.get('content-encoding')).toBe('gzip');
  expect(await packed.text()).toContain('xxx');
  const etag = packed.headers.get('etag')!;
  const same = await fetch(`${server.url}/main.js`, {
    headers: { 'accept-encoding': 'gzip', 'if-none-match': etag },
  });
  expect(same.status).toBe(304);
  const plain = await fetch(`${server.url}/main.js`, {
    headers: { 'accept-encoding': 'identity' },
  });
  expect(plain.headers.get('etag')).not.toBe(etag);
});

test('sends a file whole for a range request, and no body for HEAD', async () => {
  const part = await fetch(`${server.url}/core.wasm`, { headers: { range: 'bytes=0-3' } });
  expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([200, 8]);
  const head = await fetch(`${server.url}/core.wasm`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, '8']);
  expect(await head.text()).toBe('');
});

test.each([
  '/../secret.txt',
  '/%2e%2e/secret.txt',
  '/..%2fsecret.txt',
  '/deep/../../secret.txt',
  '/deep',
  '/.env',
  '/%2eenv',
  '/nothing.js',
  '/%00',
  '//etc/passwd',
])('%s is not found', async (path) => {
  const { status, body } = await raw(path);
  expect(status).toBe(404);
  expect(body).not.toContain('secret"');
  expect((JSON.parse(body) as { code: string }).code).toBe('not_found');
});

test('answers 400 for a malformed path, and 405 for a POST to a folder', async () => {
  expect((await raw('/%zz')).status).toBe(400);
  expect((await fetch(server.url, { method: 'POST' })).status).toBe(405);
  expect((await fetch(`${server.url}/v1/nothing`)).status).toBe(404);
});

test('accepts pages of another origin only if they are named', async () => {
  const client = new WireClient(server.url);
  const call = (origin: string) =>
    fetch(`${server.url}/v1/pull`, {
      method: 'POST',
      headers: { ...client.headers, origin },
      body: JSON.stringify(client.request()),
    });
  expect((await call('https://stranger.example')).status).toBe(403);
  const allowed = await call(kOther);
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
    200,
    kOther,
  ]);
  const own = await call(server.url);
  expect([own.status, own.headers.get('access-control-allow-origin')]).toEqual([200, null]);
  const preflight = (origin: string) =>
    fetch(`${server.url}/v1/push`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
  expect((await preflight(kOther)).status).toBe(204);
  expect((await preflight('https://stranger.example')).status).toBe(403);
});
