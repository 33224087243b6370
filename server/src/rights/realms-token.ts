// The realms token: what this server says that a user's memberships are, signed (a JWT, HS256), and kept by the client,
// which sends it with each pull. It proves a right to nothing. It shows that a database was restored from a backup: a
// token that this server has signed, with a version that its database never gave, is of a history that is lost. Then
// the client keeps what it holds of those realms. A token that is malformed, signed by another key, or of another user
// is treated like none: no request fails by it.

import { createHmac } from 'node:crypto';
import { decodeProtectedHeader, errors, type JWTHeaderParameters, jwtVerify, SignJWT } from 'jose';
import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { SetupError } from '../base/setup-error.ts';
import type { Role } from '../sql/members.ts';

/** A user's memberships, as of a version. */
export interface UserMemberships {
  readonly version: string;
  /** When the version was given, ms. */
  readonly at: number;
  readonly roles: ReadonlyMap<string, Role>;
}

/** What a token says of a realm. */
export interface Said {
  readonly role: unknown;
  /** A mark of the user who founded it, which names nobody. */
  readonly founder: unknown;
  /** When the version was given that said so first, ms. */
  readonly at: number;
}

/** What a token says. */
export interface RealmClaims {
  readonly version: string;
  /** When the version was given, ms. */
  readonly at: number;
  /** The user's memberships, by realm. */
  readonly realms: ReadonlyMap<string, Said>;
  /** Realms of histories that were lost before, which the client still held when the token was made. */
  readonly lost: ReadonlyMap<string, Said>;
}

const kPurpose = 'skerry realms token';
const kType = 'skerry-realms';
const kAlgorithm = 'HS256';

interface SigningKey {
  readonly id: string;
  readonly bytes: Buffer;
}

/** The key, for this purpose only: whatever else it signs is no realms token, and the other way round. */
function keyOf(secret: string): SigningKey {
  if (Buffer.byteLength(secret) < limits.secretBytes) {
    throw new SetupError(`A key of realms tokens has at least ${limits.secretBytes} bytes.`);
  }
  const bytes = createHmac('sha256', secret).update(kPurpose).digest();
  return { id: createHmac('sha256', bytes).update('id').digest('hex').slice(0, 16), bytes };
}

/** 64 bits: whoever reads the token cannot find the user by trying names, nor make another of the same mark. */
function markOf({ bytes }: SigningKey, realm: string, user: string): string {
  const text = JSON.stringify([realm, user]);
  return createHmac('sha256', bytes).update(text).digest('base64url').slice(0, 11);
}

function saidOf(realms: unknown, at: unknown): Map<string, Said> {
  const said = Object.entries(isObject(realms) ? realms : {});
  return new Map(
    said.map(([realm, of]) => {
      const [role, founder, since = at] = Array.isArray(of) ? (of as unknown[]) : [];
      return [realm, { role, founder, at: typeof since === 'number' ? since : 0 }];
    }),
  );
}

export class RealmsTokens {
  readonly #keys: readonly SigningKey[];
  /** For so long, ms, the database knows a version after another has followed it. */
  readonly versionsMs: number;

  /** The first key signs; tokens of the second, the previous one, are believed, too. */
  constructor(secrets: readonly string[], versionsMs = limits.retention * 1000) {
    this.#keys = secrets.map(keyOf);
    this.versionsMs = versionsMs;
    if (this.#keys.length === 0) throw new Error('Realms tokens need a key.');
  }

  /** `founders`: the user who founded the realm, by realm. `lost`: what an earlier token said of realms that are lost. */
  sign(
    user: string,
    { version, at, roles }: UserMemberships,
    founders: ReadonlyMap<string, string>,
    lost: ReadonlyMap<string, Said> = new Map(),
  ): Promise<string> {
    const [key] = this.#keys as [SigningKey];
    const realms = [...roles].map(([realm, role]) => {
      const founder = founders.get(realm);
      return [realm, founder === undefined ? [role] : [role, markOf(key, realm, founder)]] as const;
    });
    const before = [...lost].map(([realm, said]) => [realm, [said.role, said.founder, said.at]]);
    return new SignJWT({
      ...{ user, version, at, realms: Object.fromEntries(realms) },
      ...(before.length === 0 ? {} : { lost: Object.fromEntries(before) }),
    })
      .setProtectedHeader({ alg: kAlgorithm, typ: kType, kid: key.id })
      .sign(key.bytes);
  }

  /** What the token says to its user; null if it is to be treated like none. */
  async read(user: string, token: unknown): Promise<RealmClaims | null> {
    if (typeof token !== 'string' || token.length > limits.realmsTokenCharacters) return null;
    try {
      const keyFor = (header: JWTHeaderParameters) => this.#keyFor(header);
      const options = { algorithms: [kAlgorithm], typ: kType };
      const { payload } = await jwtVerify(token, keyFor, options);
      const { version, at, realms, lost } = payload;
      if (payload.user !== user || typeof version !== 'string') return null;
      return {
        ...{ version, at: typeof at === 'number' ? at : 0 },
        ...{ realms: saidOf(realms, at), lost: saidOf(lost, at) },
      };
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  /** Whether the client's token, which was read, says this already, with the key that signs now. */
  isCurrent(token: string, claims: RealmClaims, { version }: UserMemberships): boolean {
    const [key] = this.#keys as [SigningKey];
    return claims.version === version && decodeProtectedHeader(token).kid === key.id;
  }

  /** Whether it is said that the user founded the realm. */
  isFounder({ founder }: Said, realm: string, user: string): boolean {
    return this.#keys.some((key) => markOf(key, realm, user) === founder);
  }

  #keyFor({ kid }: JWTHeaderParameters): Buffer {
    const key = this.#keys.find(({ id }) => id === kid);
    if (key === undefined) throw new errors.JWKSNoMatchingKey();
    return key.bytes;
  }
}
