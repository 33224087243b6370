// Goal: a trap of the authority (a broken invariant, no memory left) fails the requests that it meets, and no later one.
// Method: its memory is damaged under it.

import { afterAll, expect, test, vi } from 'vitest';
import { Authority } from '../../server/src/authority/authority.ts';
import { describeSchema } from '../../server/src/schema-module.ts';
import { testSchema } from './support/schemas.ts';

const memories: WebAssembly.Memory[] = [];
const { instantiate } = WebAssembly;
vi.spyOn(WebAssembly, 'instantiate').mockImplementation((async (...args: unknown[]) => {
  const made = (await (instantiate as (...all: unknown[]) => Promise<unknown>)(...args)) as
    | WebAssembly.Instance
    | WebAssembly.WebAssemblyInstantiatedSource;
  const { exports } = 'instance' in made ? made.instance : made;
  for (const exported of Object.values(exports))
    if (exported instanceof WebAssembly.Memory) memories.push(exported);
  return made;
}) as never);
afterAll(() => {
  vi.restoreAllMocks();
});

const scopes = [{ table: 'cities', where: ['true'] }];
const pull = (authority: Authority) =>
  authority.pull(async (step) => JSON.parse(step(JSON.stringify({ body: '{}' }))) as unknown);

test('a trap fails what it meets, and the next request has a fresh authority', async () => {
  const authority = await Authority.load(describeSchema(testSchema));
  const before = await pull(authority).catch((error: Error) => error.message);
  expect(authority.checkScopes(scopes)).toHaveLength(1);
  const damaged = memories.length;
  expect(damaged).toBeGreaterThan(0);

  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  // One is in the middle of its work, as it reads the database.
  let begun = () => {};
  const under = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const between = authority.admission(async (step) => {
    begun();
    await held;
    return step('{}');
  });
  await under;
  for (const memory of memories) new Uint8Array(memory.buffer).fill(0xff);
  await expect(pull(authority)).rejects.toBeInstanceOf(WebAssembly.RuntimeError);
  expect(() => authority.checkScopes(scopes)).toThrow(/trapped/);
  letGo();
  await expect(between).rejects.toThrow(/trapped/);

  expect(await pull(authority).catch((error: Error) => error.message)).toEqual(before);
  expect(memories.length).toBeGreaterThan(damaged);
  expect(authority.checkScopes(scopes)).toHaveLength(1);
  authority.close();
});
