/**
 * The list of docs/stuck.md, one state after the other: it is entered, it is told, and once what was the matter is over
 * the client goes on by itself, with what was written meanwhile.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { http } from 'skerry';
import type { MemoryHost, MemoryResponse } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { world } from './account-world.ts';
import { type FakeServer, problem } from './fake-server.ts';
import { fresh, until } from './support.ts';

vi.setConfig({ testTimeout: 60_000 });

const page = readFileSync(join(import.meta.dirname, '../../docs/stuck.md'), 'utf8');
/** The codes of the first table. */
const listed = [...(page.split('## Of one thing')[0] ?? '').matchAll(/^\| ([^|]*)\|/gm)].flatMap(
  ([, cell = '']) => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code ?? ''),
);

const answer = (status: number, type: string, body: string): MemoryResponse => ({
  status,
  headers: { 'content-type': type },
  body,
});
/** What the server says instead of the protocol's answers. */
const answers: Readonly<Record<string, () => MemoryResponse | Promise<MemoryResponse>>> = {
  timeout: () => problem(408, 'timeout'),
  server: () => answer(500, 'text/html', 'no'),
  rate_limited: () => answer(429, 'text/plain', 'later'),
  not_json: () => answer(200, 'text/html', '<h1>Log in to the hotel</h1>'),
  bad_answer: () => answer(200, 'application/json', '{"time":"noon"}'),
  client_old: () => problem(409, 'client_old'),
  server_old: () => problem(409, 'server_old'),
  invalid: () => problem(400, 'invalid'),
  refused: () => answer(404, 'application/json', '{}'),
  unauthenticated: () => problem(401, 'unauthenticated'),
};
/** Tested where they happen: test/js, test/browser, test/core/sync. */
const elsewhere = [
  ...['needs_auth', 'wrong_user', 'client_bound', 'newer_tab', 'too_large', 'quota', 'storage'],
  ...['storage_lost', 'image', 'no_progress', 'worker', 'internal', 'closed'],
];

async function open(host: MemoryHost) {
  const remote = http('http://server.test/v1', { token: async () => 'opaque' });
  const db = await fresh(host, { remote, scopes: 'all', user: 'anna', defaultRealm: 'public' });
  await db.mutate.addCity({ id: 'before', name: 'B' }).confirmed;
  return db;
}

test('every code of the page is tested, here or elsewhere', () => {
  expect(listed.length).toBeGreaterThan(20);
  expect(new Set(listed)).toEqual(new Set(['network', ...Object.keys(answers), ...elsewhere]));
});

for (const code of ['network', ...Object.keys(answers)])
  test(`${code} is told, and ends when what it is about is over`, async () => {
    const { host, server }: { host: MemoryHost; server: FakeServer } = world();
    const db = await open(host);
    if (code === 'network') host.network.online = false;
    // A push that the server takes for invalid is another matter: it goes to the inbox.
    else
      server.instead = ({ url }) =>
        code === 'invalid' && url.pathname.endsWith('/push') ? null : (answers[code]?.() ?? null);
    const mutation = db.mutate.addCity({ id: 'a', name: 'A' });
    db.sync.now().catch(() => {});
    await until(() => db.sync.status.error?.code === code);
    expect(['waiting', 'blocked']).toContain(db.sync.status.phase);
    expect(db.cities.get('a')).toMatchObject({ name: 'A' });
    host.network.online = true;
    server.instead = null;
    if (code === 'unauthenticated') void db.sync.now();
    await mutation.confirmed;
    await until(() => db.sync.status.error === null && db.sync.status.phase === 'idle');
    expect(server.log.map(({ update }) => update.ops[0]?.id)).toEqual(['before', 'a']);
  });

test('a scope that the server refuses does not keep changes from being pushed', async () => {
  const { host, server } = world();
  const db = await open(host);
  server.instead = ({ url, body }) => {
    const text = new TextDecoder().decode(body ?? new Uint8Array());
    return url.pathname.endsWith('/pull') && text.includes('"like"')
      ? problem(400, 'invalid')
      : null;
  };
  const scope = db.sync.scope(db.people.where('name', 'like', '%a'));
  await until(() => db.sync.status.error?.code === 'invalid');
  const mutation = db.mutate.addCity({ id: 'a', name: 'A' });
  await mutation.pushed;
  scope.unsubscribe();
  await mutation.confirmed;
  await until(() => db.sync.status.error === null && db.sync.status.phase === 'idle');
});
