// The realms token: what this server says that a user's memberships are, signed (JWS, HS256), and kept by the client,
// which sends it with each pull. It proves a right to nothing. It shows that a database was restored from a backup: a
// token that this server has signed, with a version that its database never gave, is of a history that is lost. Then
// the client keeps what it holds of those realms. A token that is malformed, signed by another key, or of another user
// is treated like none: no request fails by it.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { SetupError } from '../base/setup-error.ts';
import type { Role } from '../sql/members.ts';

/** A user's memberships, as of a version. */
export interface Membership {
  readonly version: string;
  /** When the version was given, ms. */
  readonly at: number;
  readonly roles: ReadonlyMap<string, Role>;
}

/** What a token says. */
export interface Told {
  readonly version: string;
  readonly realms: readonly string[];
}

const kPurpose = 'skerry realms token';
const kType = 'skerry-realms';

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

/** The key, for this purpose only: whatever else it signs is no realms token, and the other way round. */
function keyOf(secret: string): Key {
  if (Buffer.byteLength(secret) < limits.secretBytes) {
    throw new SetupError(`A key of realms tokens has at least ${limits.secretBytes} bytes.`);
  }
  const bytes = createHmac('sha256', secret).update(kPurpose).digest();
  return { id: createHmac('sha256', bytes).update('id').digest('hex').slice(0, 16), bytes };
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

function parsed(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export class RealmsTokens {
  readonly #keys: readonly Key[];

  /** The first key signs; tokens of the second, the previous one, are believed, too. */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map(keyOf);
    if (this.#keys.length === 0) throw new Error('Realms tokens need a key.');
  }

  sign(user: string, { version, at, roles }: Membership): string {
    const [key] = this.#keys as [Key];
    const header = encoded({ alg: 'HS256', typ: kType, kid: key.id });
    const realms = Object.fromEntries(roles);
    const body = `${header}.${encoded({ user, version, at, realms })}`;
    return `${body}.${mac(key, body).toString('base64url')}`;
  }

  /** What the token says to its user; null if it is to be treated like none. */
  read(user: string, token: unknown): Told | null {
    if (typeof token !== 'string' || token.length > limits.realmsTokenCharacters) return null;
    const [header = '', payload = '', signature = '', ...more] = token.split('.');
    if (more.length > 0) return null;
    const { alg, typ, kid } = parsed(header) ?? {};
    const key = this.#keys.find(({ id }) => id === kid);
    if (key === undefined || alg !== 'HS256' || typ !== kType) return null;
    const right = mac(key, `${header}.${payload}`);
    const given = Buffer.from(signature, 'base64url');
    if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
    const said = parsed(payload);
    if (said === null || said.user !== user || typeof said.version !== 'string') return null;
    return { version: said.version, realms: isObject(said.realms) ? Object.keys(said.realms) : [] };
  }

  /** Whether the client's token says this already, with the key that signs now. */
  isCurrent(token: string, told: Told, { version }: Membership): boolean {
    const [key] = this.#keys as [Key];
    return told.version === version && parsed(token.split('.', 1)[0] ?? '')?.kid === key.id;
  }
}

function mac({ bytes }: Key, body: string): Buffer {
  return createHmac('sha256', bytes).update(body).digest();
}
