// Goal: an option that is misspelt is refused by its name, before anything is opened. Method: calls of `createServer` with one
// option more than there is, at each place.

import { expect, test } from 'vitest';
import { SetupError } from '../../server/src/base/setup-error.ts';
import { createServer, type ServerOptions } from '../../server/src/index.ts';
import { testSchema } from './support/schemas.ts';

const valid = { schema: testSchema, auth: { dev: true } };
const wrong: [name: string, options: object, said: RegExp][] = [
  ['an option', { ...valid, retentoin: 60 }, /`createServer` has no `retentoin`\. It has: schema,/],
  ['one of auth', { ...valid, auth: { dev: true, secrets: 'x' } }, /`auth` .* has no `secrets`/],
  ['a limit', { ...valid, limits: { pushes: 1 } }, /`limits` .* has no `pushes`\. It has: /],
  ['one that every object has', { ...valid, toString: 1 }, /has no `toString`/],
  ['limits that are none', { ...valid, limits: 7 }, /`limits` of `createServer` is an object/],
];

test.each(wrong)('%s that there is not is refused by its name', async (_name, options, said) => {
  const call = async () => createServer(options as ServerOptions);
  await expect(call()).rejects.toThrow(SetupError);
  await expect(call()).rejects.toThrow(said);
});

test('options that are none are refused', async () => {
  const call = async () => createServer(undefined as never);
  await expect(call()).rejects.toThrow(/options of `createServer` must be an object/);
});
