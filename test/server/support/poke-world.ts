// The sockets of pokes in this process: the real servePokes, relay and hub on a real HTTP server, with a log in
// memory, tokens that are JSON, and control over when a look-up of heads is answered. `listeners` are those that have joined.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anyHost } from '../../../server/src/auth/loopback.ts';
import type { User } from '../../../server/src/auth/user.ts';
import type { Authority } from '../../../server/src/authority/authority.ts';
import { callerLimits } from '../../../server/src/base/limits.ts';
import { Problem } from '../../../server/src/base/problem.ts';
import { Callers } from '../../../server/src/cost/callers.ts';
import type { Queryable } from '../../../server/src/db/database.ts';
import type { AudienceMember } from '../../../server/src/poke/audience.ts';
import { Audiences } from '../../../server/src/poke/audiences.ts';
import { PokeHub } from '../../../server/src/poke/hub.ts';
import { PokeRelay } from '../../../server/src/poke/relay.ts';
import { type PokeSockets, servePokes } from '../../../server/src/poke/sockets.ts';
import type { PokedEntry } from '../../../server/src/push/done.ts';
import { Grants } from '../../../server/src/rights/grants.ts';
import { Ear } from './ear.ts';

export interface Token {
  readonly user: string;
  readonly realms: readonly string[];
  readonly expires?: number;
}

/** The defaults, except for the rates: tests send in a moment what users send in hours. */
const bounds = { ...callerLimits, requestsPerUser: 100_000, requestsPerClient: 100_000 };

class CountingAudiences extends Audiences {
  readonly listeners = new Set<AudienceMember>();

  override async join(member: AudienceMember): Promise<void> {
    await super.join(member);
    this.listeners.add(member);
  }

  override leave(member: AudienceMember): void {
    this.listeners.delete(member);
    super.leave(member);
  }
}

export class PokeWorld {
  readonly hub = new PokeHub(new Set(['notices']));
  readonly audiences: CountingAudiences;
  readonly logged: unknown[] = [];
  /** The number of look-ups of heads, and of reads of the log. */
  queries = 0;
  /** The number of readings of rights. */
  rightsRead = 0;
  readonly #log: PokedEntry[] = [];
  readonly #rights = new Map<string, string>();
  readonly #http = createServer();
  readonly #relay: PokeRelay;
  readonly #sockets: PokeSockets;
  #held: { answer(): void; fail(error: Error): void }[] | null = null;

  constructor() {
    const log = (_message: string, error: unknown) => this.logged.push(error);
    const database = { query: (text: string) => this.#answer(text) } as unknown as Queryable;
    const { hub } = this;
    this.#relay = new PokeRelay({ database, hub, log });
    this.audiences = new CountingAudiences({
      ...{ hub, heads: this.#relay, charge: () => {} },
      database: {
        transaction: (_, work) => {
          this.rightsRead++;
          return work({ query: async () => noMemberships() });
        },
      },
    });
    this.#sockets = servePokes({
      authenticate: async (token) => userOf(token),
      grants: new Grants({ log }),
      authority: {
        checkScopes: async (scopes: readonly { table: string }[]) =>
          scopes.map(({ table }) => ({ tables: [table] })),
      } as unknown as Authority,
      audiences: this.audiences,
      origins: new Set(),
      hosts: anyHost,
      callers: new Callers(bounds, 10),
      limits: bounds,
      trustProxy: false,
      log,
    });
  }

  async listen(): Promise<void> {
    this.#http.on('upgrade', (request, socket, head) =>
      this.#sockets.upgrade(request, socket, head),
    );
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async open(): Promise<Ear> {
    return new Ear(this.url).opened();
  }

  /** Look-ups of heads are not answered until `release`. */
  hold(): void {
    this.#held ??= [];
  }

  release(error?: Error): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const { answer, fail } of held) error ? fail(error) : answer();
  }

  get waiting(): number {
    return this.#held?.length ?? 0;
  }

  commit(
    realm: string,
    tables: readonly string[],
    client = 'somebody',
    streams: readonly string[] = [],
  ): PokedEntry {
    const revision = this.#log.filter((entry) => entry.realm === realm).length + 1;
    const entry = { realm, revision, client, tables, streams };
    this.#log.push(entry);
    this.#relay.committed([entry], new Map());
    return entry;
  }

  /** A commit that gives the user rights of this version, by this node or by another one. */
  grant(user: string, version: string, by: 'this' | 'another'): void {
    const rights = new Map([[user, version]]);
    this.#rights.set(user, version);
    const revision = this.#log.filter(({ realm }) => realm === 'c').length + 1;
    const entry = { realm: 'c', revision, client: 'somebody', tables: [], streams: [] };
    this.#log.push(entry);
    if (by === 'this') this.#relay.committed([{ ...entry, users: [user] }], rights);
  }

  /** Another node says that it has changed the rights of this user: in a realm by a membership, or otherwise. */
  notify(user: string, realm: string | null): void {
    const changed = realm === null ? { users: [user] } : { members: [[realm, user]] };
    this.#relay.notified(JSON.stringify({ node: 'another', heads: {}, ...changed }));
  }

  /** Reads the log of all realms that have listeners. */
  catchUp(): void {
    this.#relay.catchUp();
  }

  /** The log is read only above the known revisions, where it is empty: all commits are made here. */
  async #answer(text: string): Promise<object[]> {
    if (text.includes('skerry.user_rights'))
      return [...this.#rights].map(([user, version]) => ({ user, version, at: '1' }));
    if (text.includes('skerry.foreign_entry')) return [{ from: '1', heads: '{}' }];
    this.queries++;
    if (!text.includes('skerry.realm')) return [];
    const heads = new Map<string, number>();
    if (this.#held) await new Promise<void>((answer, fail) => this.#held?.push({ answer, fail }));
    for (const { realm, revision } of this.#log) heads.set(realm, revision);
    return [...heads].map(([realm, head]) => ({ realm, head: `${head}` }));
  }

  async close(): Promise<void> {
    this.release();
    this.#sockets.close();
    await this.audiences.close();
    await this.#relay.close();
    this.#http.close();
  }
}

/** The answer to a reading of rights: they are all of the token. */
function noMemberships<Row>(): Row[] {
  return [{ members: '[]', founded: '[]', version: null, at: null }] as Row[];
}

function userOf(token: string | null): User {
  if (token === null || !token.startsWith('{')) throw new Problem('unauthenticated', 'no token');
  const { user, realms, expires = null } = JSON.parse(token) as Token;
  return { id: user, claims: new Map(realms.map((realm) => [realm, 'read'])), expires };
}

/** A client's hello. */
export const hello = (client: string, tables: readonly string[], token: Token) => ({
  token: JSON.stringify(token),
  client,
  scopes: tables.map((table) => ({ table, where: ['true'] })),
});
