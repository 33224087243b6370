// Goal: nobody takes all places of the application's own `verify`. Method: call the part, with a function that the test answers.

import { expect, test, vi } from 'vitest';
import { createAuth } from '../../server/src/auth/auth.ts';
import type { VerifyToken } from '../../server/src/auth/own-verify.ts';
import { limits } from '../../server/src/base/limits.ts';
import { codeOf } from './support/code-of.ts';

test('tokens of one address leave places in `verify` for those of others', async () => {
  const answers: (() => void)[] = [];
  const verify: VerifyToken = (token) =>
    new Promise((done) => answers.push(() => done({ user: token })));
  const auth = createAuth({ verify });
  const tokens = Array.from({ length: limits.verifyingPerAddress }, (_, i) => `token-${i}`);
  const own = tokens.map((token) => auth(token, 'one'));
  expect(await codeOf(auth('one-more', 'one'))).toBe('rate_limited');
  const other = auth('of-another', 'two');
  for (const answer of answers.splice(0)) answer();
  expect((await other).id).toBe('of-another');
  expect(await Promise.all(own)).toHaveLength(tokens.length);
  // The places are free again.
  const later = auth('one-more', 'one');
  await vi.waitUntil(() => answers.length > 0);
  answers[0]?.();
  expect((await later).id).toBe('one-more');
});
