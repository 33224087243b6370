// Tokens as an issuer would sign them: HS256 JWTs.
import { createHmac } from 'node:crypto';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token of this user for the realm `public`, that expires in so many seconds (or did, when negative). */
export function signToken(secret: string, user: string, expiresInSeconds: number): string {
  const exp = Math.floor(Date.now() / 1000) + expiresInSeconds;
  const claims = { sub: user, exp, realms: { public: 'write' } };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
