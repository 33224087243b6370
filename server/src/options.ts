// The options of a server, and what they mean before anything is opened.

import type { IncomingMessage } from 'node:http';
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import type { ApplicationSql } from './application-sql.ts';
import { type Authenticate, createAuth } from './auth/auth.ts';
import type { JwtOptions } from './auth/jwt.ts';
import { anyHost, checkDevAddress, type HostRule, loopbackHosts } from './auth/loopback.ts';
import type { VerifyToken } from './auth/own-verify.ts';
import type { CallerLimits } from './base/limits.ts';
import { SetupError } from './base/setup-error.ts';
import type { NodeHandler } from './http/front.ts';
import type { InvitationMode } from './push/member-limits.ts';
import type { Access } from './rights/grants.ts';
import type { ServerRule } from './rules/asker.ts';
import type { Seed } from './seed/seed.ts';
import type { Reducers } from './stream/reducers.ts';

/** Tokens that are JWTs. */
export interface JwtAuth extends Omit<JwtOptions, 'secret' | 'previousSecret'> {
  /** The key of HS256 tokens, at least 32 bytes; the second of two is the previous one. */
  readonly secret?: string | readonly [string, string] | undefined;
  readonly dev?: boolean | undefined;
  /** Host names besides the loopback ones that a server with `dev` answers to. */
  readonly devHosts?: readonly string[] | undefined;
}

export interface ServerOptions {
  /** The result of schema() of the package `skerry`, or its description. */
  readonly schema: unknown;
  /** `postgres://…`, or the folder of PGlite's database; `./data` by default. */
  readonly database?: string | undefined;
  /** The folder of images; with PGlite the folder of the database, else `./data` by default. */
  readonly data?: string | undefined;
  /**
   * After a restore from a backup: devices also give back what they hold of realms without members (`user:ada`, public ones) of which
   * the backup has nothing. Without it, an emptied database stays empty.
   */
  readonly takeBack?: boolean | undefined;
  /** Whether nodes notify each other of commits by LISTEN and NOTIFY (the default); they also poll in any case. */
  readonly notify?: boolean | undefined;
  /** How tokens are verified: as JWTs, or by a function of the application. */
  readonly auth: JwtAuth | VerifyToken;
  /** Roles in realms beside memberships; asked at most once a minute for each user. */
  readonly access?: Access | undefined;
  /** Realms that every user may read, or write. */
  readonly public?: Readonly<Record<string, 'read' | 'write'>> | undefined;
  /**
   * The key of realms tokens, at least 32 bytes; the second of two is the previous one. Without it a key in the database
   * is used, which is lost with the database.
   */
  readonly realmsKey?: string | readonly [string, string] | undefined;
  readonly host?: string | undefined;
  /** 0 takes a free port. Without it the server is mounted in another one: `handler` and `upgrade` of the result. */
  readonly port?: number | undefined;
  /** A folder of files to serve beside the API. */
  readonly files?: string | undefined;
  /** Origins of other servers whose pages may call this one. */
  readonly origins?: readonly string[] | undefined;
  readonly seed?: Seed | undefined;
  /**
   * The module that exports the schema, as default or as `app`, and `reducers`: streams that the server reduces, too, by name
   * or prefix (`doc/*`), with the clients' own reducers. A client that is new to one loads a snapshot of it, instead of all its
   * actions. The reducers run in a process of their own, within `reducerMemory` and `reducerSeconds`.
   */
  readonly schemaModule?: string | URL | undefined;
  /** MB that the process of the reducers may have: 512 by default. */
  readonly reducerMemory?: number | undefined;
  /** Seconds that it has for a page of up to 1,000 actions: 30 by default. */
  readonly reducerSeconds?: number | undefined;
  /** Streams that are set apart, because a reducer could not fold them, are tried once more, and take appends again. */
  readonly retryStreams?: boolean | undefined;
  /**
   * The same as functions, instead of `schemaModule`. They run in this process: only the size of a state is bounded then, neither
   * their time nor their memory.
   */
  readonly reducers?: Reducers | undefined;
  /**
   * A rule of the server alone, beside those of the schema (`validate` of `schema()` and of its tables): it is asked about what each action
   * has changed, and answers with a sentence if that is wrong. With `schemaModule` the module exports it, as `validate`: then all rules
   * run in a process of their own. Without it they run in this one, and nothing bounds their time. False: no rules are asked here,
   * neither this nor those of the schema.
   */
  readonly validate?: ServerRule | false | undefined;
  /** Seconds that the rules have for an action, in that process: 5 by default. */
  readonly ruleSeconds?: number | undefined;
  /** A snapshot of a stream is made after so many actions: 1,000 by default. */
  readonly actionsPerSnapshot?: number | undefined;
  /**
   * Actions of such a stream are forgotten when they are so many seconds old, and a snapshot holds them: 30 days by default. Those of
   * other streams stay.
   */
  readonly retention?: number | undefined;
  /**
   * Whether a membership that somebody else makes waits until the invited accepts it (`consent`, the default), or counts at once
   * (`direct`), as in an organisation where nobody is asked.
   */
  readonly invitations?: InvitationMode | undefined;
  /** Limits of concurrent use per caller, if they differ from `callerLimits`. */
  readonly limits?: Partial<CallerLimits> | undefined;
  /** The server is behind a proxy, whose `x-forwarded-for` gives the address of requests. */
  readonly trustProxy?: boolean | undefined;
  readonly progress?: (message: string) => void;
  readonly log?: (message: string, error: unknown) => void;
  /** Gets what the operator should know. */
  readonly warn?: (message: string) => void;
  /** The server has ended by itself, with this error; by default it is thrown. */
  readonly failed?: (error: unknown) => void;
}

/** A server without a port of its own, for a server of Node that has others beside it. */
export interface MountedServer {
  /** Answers the requests whose path begins with `/v1/`; others go to `next` if there is one. */
  readonly handler: NodeHandler;
  /** Takes the upgrade of a socket to `/v1/poke`. Returns false, and does nothing, for other paths. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;
  readonly rights: {
    /** What `access` returns for the user has changed: it is asked again at once, by all nodes. */
    changed(user: string): void;
  };
  /** For SQL of the application in this process: what it writes reaches clients like any other change. */
  readonly sql: ApplicationSql;
  /** Accepts no more requests, finishes those in progress, and closes the database. */
  close(): Promise<void>;
}

export interface RunningServer extends MountedServer {
  readonly url: string;
  readonly port: number;
}

export const kDefaultHost = '127.0.0.1';
const kDefaultData = './data';

/** Where the server keeps its data. */
export interface Places {
  /** Of PostgreSQL; without it PGlite in `data`. */
  readonly databaseUrl: string | undefined;
  readonly data: string;
}

/** An empty text would be the current directory. */
function refuseEmpty(what: string, text: string | undefined): void {
  if (text === '') throw new SetupError(`${what} is empty: leave it out to use PGlite in ./data.`);
}

export function placesOf({ database, data }: ServerOptions): Places {
  refuseEmpty('`database` (DATABASE_URL)', database);
  refuseEmpty('`data` (--data)', data);
  const isUrl = database !== undefined && /^[a-z][a-z\d+.-]+:\/\//i.test(database);
  if (isUrl) return { databaseUrl: database, data: resolve(data ?? kDefaultData) };
  if (database !== undefined && data !== undefined && resolve(data) !== resolve(database)) {
    throw new SetupError(
      'The images of PGlite are in the folder of its database: `data` is another one.',
    );
  }
  return { databaseUrl: undefined, data: resolve(database ?? data ?? kDefaultData) };
}

/** Authentication, and the host names to answer to. Throws SetupError for unsafe options. */
export function openAuthentication({ auth, host = kDefaultHost, log }: ServerOptions): {
  readonly authenticate: Authenticate;
  readonly hosts: HostRule;
} {
  const ofJwks = log === undefined ? {} : { log };
  if (typeof auth === 'function') {
    return { authenticate: createAuth({ verify: auth }, ofJwks), hosts: anyHost };
  }
  const { secret, dev = false, devHosts = [], ...must } = auth;
  const [current = null, previousSecret] = typeof secret === 'string' ? [secret] : (secret ?? []);
  if (dev) checkDevAddress(host, devHosts);
  else if (current === null && must.jwks === undefined) {
    throw new SetupError('`auth` needs a secret, JWKS, a function, or `dev`.');
  }
  return {
    authenticate: createAuth({ ...must, secret: current, previousSecret, dev }, ofJwks),
    hosts: dev ? loopbackHosts(devHosts) : anyHost,
  };
}
