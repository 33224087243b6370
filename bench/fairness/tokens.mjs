// Tokens of the users in the benchmark of fairness. A signer is JSON, so that the attacker's process can sign, too.

import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import { secret } from '../server/node.mjs';

/** HS256, by the secret that the server is given. */
export const bySecret = {
  ...{ alg: 'HS256', claims: {} },
  jwk: { kty: 'oct', k: Buffer.from(secret).toString('base64url') },
};

export const issuer = { iss: 'issuer', aud: 'skerry' };

/** By an issuer's key; `keys` is the set that the issuer publishes. */
export async function byIssuer() {
  const alg = 'ES256';
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg, use: 'sig' }];
  return { signer: { alg, kid: 'one', claims: issuer, jwk: await exportJWK(privateKey) }, keys };
}

/** For the application's own `verify` (own-verify.mjs): each token is another one, and none is known yet. */
export const own = { isOwn: true };

export async function signed(user, signer) {
  if (signer.isOwn) return `good~${user}~${crypto.randomUUID()}`;
  const { alg, kid, claims, jwk } = signer;
  const token = new SignJWT({ sub: user, ...claims }).setProtectedHeader({ alg, kid });
  return token.setExpirationTime('1h').sign(await importJWK(jwk, alg));
}
