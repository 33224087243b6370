// The grants of callers: the claims of the token, the application's `access`, and public realms, united. What `access`
// returns is kept for at most a minute, or until `changed`. While it fails its users are answered with 503, whatever it
// returned before: nobody is given more rights, and nobody is told that a realm is gone.

import { isRealmName, type Right, type User } from '../auth/user.ts';
import { isRecord } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { LruMap } from '../base/lru-map.ts';
import { Problem } from '../base/problem.ts';
import { SetupError } from '../base/setup-error.ts';
import type { Role } from '../sql/members.ts';
import { type Caller, type RealmRights, raise, rightOfRole } from './rights.ts';

/** The realms of a user, and the role in each. */
export type Access = (
  user: string,
  context: { readonly signal: AbortSignal },
) => Readonly<Record<string, Role>> | Promise<Readonly<Record<string, Role>>>;

export interface GrantsOptions {
  readonly access?: Access | undefined;
  /** Realms that every user may read, or write. */
  readonly public?: Readonly<Record<string, 'read' | 'write'>> | undefined;
  readonly log: (message: string, error: unknown) => void;
  /** Milliseconds; they never go back. */
  readonly now?: () => number;
}

const kNone: RealmRights = new Map();

interface RememberedRights {
  readonly realms: RealmRights;
  readonly until: number;
}

function publicRealms(realms: GrantsOptions['public'] = {}): RealmRights {
  if (!isRecord(realms)) throw new SetupError('`public` is an object of realms and rights.');
  for (const [realm, right] of Object.entries(realms)) {
    if (!isRealmName(realm) || realm.startsWith('user:')) {
      throw new SetupError(`No realm of the name ${JSON.stringify(realm)} can be public.`);
    }
    if (right !== 'read' && right !== 'write') {
      throw new SetupError(`A public realm is for "read" or "write": ${realm} is neither.`);
    }
  }
  return new Map(Object.entries(realms));
}

function parseAccess(found: unknown): RealmRights {
  if (!isRecord(found)) throw new TypeError('`access` has returned no object of realms and roles.');
  const realms = new Map<string, Right>();
  for (const [realm, role] of Object.entries(found)) {
    const right = Object.hasOwn(rightOfRole, String(role)) ? rightOfRole[role as Role] : undefined;
    if (!isRealmName(realm) || right === undefined) {
      throw new TypeError('`access` maps names of realms to "reader", "writer" or "owner".');
    }
    realms.set(realm, right);
  }
  return realms;
}

function areEqual(a: RealmRights, b: RealmRights): boolean {
  return a.size === b.size && [...a].every(([realm, right]) => b.get(realm) === right);
}

export class Grants {
  readonly #options: GrantsOptions;
  readonly #public: RealmRights;
  readonly #known = new LruMap<RememberedRights>(limits.callersRemembered);
  readonly #asking = new Map<string, Promise<RealmRights>>();
  /** One caller for each token, as long as the rights are the same. */
  readonly #callers = new WeakMap<
    User,
    { readonly accessed: RealmRights; readonly caller: Caller }
  >();

  /** Throws SetupError for options that are wrong. */
  constructor(options: GrantsOptions) {
    this.#options = options;
    this.#public = publicRealms(options.public);
  }

  /** Whether rights change by themselves, as time passes. */
  get areTimed(): boolean {
    return this.#options.access !== undefined;
  }

  async caller(user: User): Promise<Caller> {
    const accessed = await this.#accessOf(user.id);
    const before = this.#callers.get(user);
    if (before !== undefined && areEqual(before.accessed, accessed)) return before.caller;
    const grants = new Map(user.claims);
    for (const source of [this.#public, accessed]) {
      for (const [realm, right] of source) raise(grants, realm, right);
    }
    const caller = { id: user.id, grants, expires: user.expires };
    this.#callers.set(user, { accessed, caller });
    return caller;
  }

  /** The next request of the user asks `access` again. */
  changed(user: string): void {
    this.#known.delete(user);
    this.#asking.delete(user);
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now();
  }

  async #accessOf(user: string): Promise<RealmRights> {
    const { access } = this.#options;
    if (access === undefined) return kNone;
    const known = this.#known.get(user);
    if (known !== undefined && this.#now() < known.until) return known.realms;
    return this.#asking.get(user) ?? this.#ask(access, user);
  }

  #ask(access: Access, user: string): Promise<RealmRights> {
    const until = this.#now() + limits.accessMs;
    const asking: Promise<RealmRights> = within(access, user)
      .then(parseAccess)
      .then(
        (realms) => {
          // The answer to a question from before a change is for those who have asked then.
          if (this.#asking.get(user) === asking) this.#known.use(user, { realms, until });
          return realms;
        },
        (error: unknown) => {
          this.#options.log('The rights of a user could not be read: `access` has failed.', error);
          throw new Problem(
            'rights_unavailable',
            'The rights of the user are temporarily unavailable.',
          );
        },
      )
      .finally(() => {
        if (this.#asking.get(user) === asking) this.#asking.delete(user);
      });
    this.#asking.set(user, asking);
    return asking;
  }
}

async function within(access: Access, user: string): Promise<unknown> {
  const timeout = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`It took longer than ${limits.accessWithinMs} ms.`));
      timeout.abort();
    }, limits.accessWithinMs);
  });
  try {
    return await Promise.race([(async () => access(user, { signal: timeout.signal }))(), late]);
  } finally {
    clearTimeout(timer);
  }
}
