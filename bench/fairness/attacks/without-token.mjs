// Attacks by callers who have no token, or none that is valid.

import { randomUUID } from 'node:crypto';

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token of a key that its issuer does not have. */
function unknownKey() {
  const claims = { sub: 'mallory', iss: 'issuer', aud: 'skerry', exp: 9_000_000_000 };
  return `${encoded({ alg: 'ES256', kid: randomUUID() })}.${encoded(claims)}.AAAA`;
}

const bearer = (token) => ({ authorization: `Bearer ${token}` });

export const withoutToken = {
  '/v1/health by 1,200 connections without a token': {
    workers: 1_200,
    step: ({ stranger }) => stranger.send('GET', '/v1/health'),
  },
  'a file with gzip by 32 connections without a token': {
    server: 'files',
    workers: 32,
    step: ({ stranger }) =>
      stranger.send('GET', '/app.js', undefined, { headers: { 'accept-encoding': 'gzip' } }),
  },
  'HEAD requests without a token': {
    server: 'files',
    workers: 16,
    step: ({ stranger }) => stranger.send('HEAD', '/app.js'),
  },
  'HEAD of a table': {
    workers: 16,
    step: ({ caller }) => caller.send('HEAD', '/v1/tables/notes'),
  },
  'tokens of keys that the issuer does not have': {
    server: 'jwks',
    workers: 64,
    step: ({ stranger }) =>
      stranger.send('GET', '/v1/tables/notes', undefined, { headers: bearer(unknownKey()) }),
  },
  'tokens that the own `verify` takes 200 ms to refuse': {
    server: 'verify',
    workers: 200,
    step: ({ stranger }) =>
      stranger.send('GET', '/v1/tables/notes', undefined, { headers: bearer(randomUUID()) }),
  },
};
