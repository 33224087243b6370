// Goal: a trap of the authority (a broken invariant, no memory left), or a step that never ends, fails the requests
// in progress, and no later one. Method: the test damages its memory in its own thread; one of its steps never ends.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Authority } from '../../server/src/authority/authority.ts';
import { AuthorityGone, AuthorityTrapped } from '../../server/src/authority/authority-link.ts';
import { describeSchema } from '../../server/src/schema-module.ts';
import { testSchema } from './support/schemas.ts';

/**
 * In each thread: remembers the memories of all modules, and overwrites them on a message; one text makes a step that
 * never ends.
 */
const kPreload = `
  import { BroadcastChannel, isMainThread } from 'node:worker_threads';
  const memories = [];
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...args) => {
    const made = await instantiate.apply(WebAssembly, args);
    for (const exported of Object.values((made.instance ?? made).exports))
      if (exported instanceof WebAssembly.Memory) memories.push(exported);
    return made;
  };
  const told = new BroadcastChannel('damage');
  told.onmessage = ({ data }) => {
    if (data !== 'now') return;
    for (const memory of memories.splice(0)) new Uint8Array(memory.buffer).fill(0xff);
    told.postMessage('damaged');
  };
  told.unref();
  const { from } = Buffer;
  Buffer.from = (text, ...rest) => {
    while (text === 'endless') continue;
    return from.call(Buffer, text, ...rest);
  };
`;

let folder: string;
let execArgv: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-trap-'));
  const preload = join(folder, 'preload.mjs');
  writeFileSync(preload, kPreload);
  execArgv = ['--import', preload];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scopes = [{ table: 'cities', where: ['true'] }];
const pull = (authority: Authority) =>
  authority.pull(async (step) => JSON.parse(await step(JSON.stringify({ body: '{}' }))) as unknown);

/** Damages the memories of both threads. */
async function damage(): Promise<void> {
  const channel = new BroadcastChannel('damage');
  let answers = 0;
  const both = new Promise<void>((resolve) => {
    channel.onmessage = () => {
      answers++;
      if (answers === 2) resolve();
    };
  });
  channel.postMessage('now');
  await both;
  channel.close();
}

test('a trap fails current requests, and the next has a fresh authority', async () => {
  const authority = await Authority.load(describeSchema(testSchema), { execArgv });
  try {
    const before = await pull(authority).catch((error: Error) => error.message);
    expect(await authority.checkScopes(scopes)).toHaveLength(1);

    // This call is in the middle of its work, while it reads the database.
    const between = authority.pull(async (step) => {
      const first = await step(JSON.stringify({ body: '{}' })).catch((error: Error) => error);
      await damage();
      await expect(authority.checkScopes(scopes)).rejects.toBeInstanceOf(AuthorityTrapped);
      // The next call has a fresh instance already, but this handle belongs to the one that has trapped.
      expect(await authority.checkScopes(scopes)).toHaveLength(1);
      return [first, await step('{}').catch((error: Error) => error.message)];
    });
    expect((await between)[1]).toMatch(/trapped/);
    expect(await pull(authority).catch((error: Error) => error.message)).toEqual(before);
  } finally {
    await authority.close();
  }
});

test('ends a step that takes too long; the next request has a fresh authority', async () => {
  const authority = await Authority.load(describeSchema(testSchema), { stepMs: 1_000, execArgv });
  try {
    const admit = (text: string) =>
      authority.admission((step) => step(text)).catch((error: Error) => error);
    const before = await admit('{}');
    expect(before).not.toBeInstanceOf(AuthorityGone);
    const met = [admit('endless'), admit('{}')];
    // The other thread is not affected.
    expect(await authority.checkScopes(scopes)).toHaveLength(1);
    for (const error of await Promise.all(met)) expect(error).toBeInstanceOf(AuthorityGone);
    expect(await admit('{}')).toEqual(before);
  } finally {
    await authority.close();
  }
});
