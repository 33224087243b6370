// Four releases of one application, on one database: nodes that serve them one after the other and side by side, and
// profiles with the real package that are updated at different times. For schema-sequences.test.ts.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Conflicts, http, open, schema, t, table } from 'skerry';
import { type MemoryHost, memory } from 'skerry/testing';
import type { Database } from '../../../server/src/db/database.ts';
import { openPGlite } from '../../../server/src/db/pglite.ts';
import { openPostgres } from '../../../server/src/db/postgres.ts';
import type { RunningServer } from '../../../server/src/options.ts';
import { createServer } from '../../../server/src/server.ts';
import { placeDatabase } from '../../support/initialised.ts';
import { patience } from '../../support/patience.ts';
import { makeDatabase, postgresUrl } from './database.ts';
import { Folder, type Json } from './server.ts';

const ids = { id: t.string() };
const color = t.enum(['red', 'green', 'blue']);

/** Each adds props with defaults and without, changes a default, reorders the props, or adds a table. */
export const releases = [
  schema({ todos: table({ text: t.string(), votes: t.number().default(1) }, ids) }, { version: 1 }),
  schema(
    {
      todos: table(
        {
          prio: t.number().default(3),
          text: t.string(),
          note: t.string().optional(),
          votes: t.number().default(1),
        },
        ids,
      ),
    },
    { version: 2, accepts: [1] },
  ),
  schema(
    {
      todos: table(
        {
          votes: t.number().default(1),
          color: color.default('red'),
          due: t.date().default(new Date(1_760_000_000_123)),
          text: t.string(),
          prio: t.number().default(5),
          note: t.string().optional(),
        },
        ids,
      ),
      tags: table({ name: t.string().default('new'), weight: t.number().default(10) }, ids),
    },
    { version: 3, accepts: [1, 2] },
  ),
  schema(
    {
      tags: table(
        {
          weight: t.number().default(20),
          name: t.string().default('new'),
          seen: t.boolean().default(false),
        },
        ids,
      ),
      todos: table(
        {
          text: t.string(),
          more: t.json<unknown>().default({ b: [1.5, null], a: 'x' }),
          due: t.date().default(new Date(1_760_000_000_123)),
          color: color.default('blue'),
          note: t.string().optional(),
          prio: t.number().default(5),
          votes: t.number().default(2),
        },
        ids,
      ),
    },
    { version: 4, accepts: [1, 2, 3] },
  ),
] as const;

export const newest = releases.length;

/** Of an application, by their versions less one. */
export type Releases = readonly unknown[];

interface PropOf {
  readonly name: string;
  readonly type: string;
}
export interface TableOf {
  readonly name: string;
  readonly props: readonly PropOf[];
}

/** The tables of a release, as in its description. */
export function tablesOf(release: number, of: Releases = releases): readonly TableOf[] {
  const text = JSON.stringify(of[release - 1]);
  // Not the memberships, which every release has.
  const { tables } = JSON.parse(text) as { tables: TableOf[] };
  return tables.filter(({ name }) => !name.startsWith('$'));
}

/** The methods of a database and its transactions that the tests use, for any schema. */
interface Rows {
  create(values: Json): unknown;
  update(id: string, values: Json): unknown;
  inc(id: string, values: Json): unknown;
  delete(id: string): unknown;
}
interface AnyDatabase {
  transact(work: (tx: Record<string, Rows>) => void): { readonly durable: Promise<unknown> };
  close(): Promise<void>;
  readonly sync: {
    pause(): void;
    waitForSync(options: { timeoutMs: number }): Promise<void>;
    readonly status: unknown;
  };
  readonly conflicts: Conflicts;
}

const times = {
  beat: 50,
  look: 50,
  timeout: 10_000,
  retry: 10,
  retryMax: 50,
  idle: 600_000,
  socketRetry: 600_000,
};

/** A value in the form that is compared. */
function plain(value: unknown): unknown {
  return value instanceof Date ? value.getTime() : (value ?? null);
}

/** One browser profile, with the application in some release. */
export class Profile {
  release = 0;
  /** The server cannot be reached. */
  offline = false;
  readonly #schemas: Releases;
  readonly #host: MemoryHost = memory({ workerTimes: times });
  readonly #user: string;
  #db: AnyDatabase | undefined;

  constructor(deployment: Deployment, user: string) {
    this.#user = user;
    this.#schemas = deployment.schemas;
    this.#host.network.respond = async ({ method, url, headers, body }) => {
      if (this.offline) return { status: 503, body: '{"code":"busy"}' };
      const node = deployment.anyNode();
      try {
        const answer = await fetch(node.url + url.pathname + url.search, {
          method,
          headers,
          ...(body === null ? {} : { body: body as Uint8Array<ArrayBuffer> }),
        });
        return { status: answer.status, body: new Uint8Array(await answer.arrayBuffer()) };
      } catch {
        // The node that the balancer chose is restarting.
        return { status: 503, body: '{"code":"busy"}' };
      }
    };
  }

  get db(): AnyDatabase {
    if (!this.#db) throw new Error('The profile is closed.');
    return this.#db;
  }

  /** `scopes`: as in the options of `open`, for the schema of this release. */
  async open(release: number, scopes: unknown = 'all'): Promise<this> {
    await this.close();
    this.release = release;
    const token = async () => `dev:${this.#user}`;
    this.#db = (await open({
      name: 'todo',
      schema: this.#schemas[release - 1] as (typeof releases)[0],
      host: this.#host,
      user: this.#user,
      remote: http('http://server.test/v1', { token }),
      scopes: scopes as 'all',
    })) as unknown as AnyDatabase;
    return this;
  }

  async close(): Promise<void> {
    await this.#db?.close();
    this.#db = undefined;
  }

  /** All rows as this release shows them: by table and id, without the system's columns. */
  rows(): Record<string, Record<string, Json>> {
    const tables = tablesOf(this.release, this.#schemas).map(({ name, props }) => {
      const all = (this.db as unknown as Record<string, { all(): Json[] }>)[name]?.all() ?? [];
      return [name, Object.fromEntries(all.map((row) => [row.id, pick(row, props)]))];
    });
    return Object.fromEntries(tables) as Record<string, Record<string, Json>>;
  }
}

function pick(row: Json, props: readonly PropOf[]): Json {
  return Object.fromEntries(props.map(({ name }) => [name, plain(row[name])]));
}

/** Only the props that a release knows, of rows that a newer one may have written. */
export function known(rows: Record<string, Record<string, Json>>, release: number) {
  const tables = tablesOf(release).map(({ name, props }) => {
    const of = Object.entries(rows[name] ?? {}).map(([id, row]) => [id, pick(row, props)]);
    return [name, Object.fromEntries(of)];
  });
  return Object.fromEntries(tables) as Record<string, Record<string, Json>>;
}

/** The nodes of one database: two at most on PostgreSQL, one on PGlite. */
export class Deployment {
  readonly folder = new Folder();
  readonly schemas: Releases;
  readonly nodes: (RunningServer | undefined)[] = [];
  readonly warnings: string[] = [];
  /** What the nodes have logged as their own failures. */
  readonly failures: string[] = [];
  readonly user = 'anna';
  #turn = 0;
  #database: Promise<string> | undefined;

  constructor(schemas: Releases = releases) {
    this.schemas = schemas;
  }

  static readonly places = postgresUrl === undefined ? 1 : 2;

  #url(): Promise<string> | undefined {
    if (postgresUrl === undefined) return undefined;
    this.#database ??= makeDatabase(postgresUrl, `releases_${randomUUID().slice(0, 8)}`);
    return this.#database;
  }

  /** Starts a release at a place, in place of the one that runs there. */
  async deploy(release: number, place = 0): Promise<RunningServer> {
    await this.stop(place);
    const data = join(this.folder.path, `node-${place}`);
    if (postgresUrl === undefined) placeDatabase(data);
    const node = await createServer({
      schema: this.schemas[release - 1],
      data,
      database: (await this.#url()) ?? data,
      auth: { dev: true },
      port: 0,
      warn: (message) => this.warnings.push(message),
      log: (message, error) => this.failures.push(`${message} ${String(error)}`),
    });
    this.nodes[place] = node;
    return node;
  }

  async stop(place = 0): Promise<void> {
    await this.nodes[place]?.close();
    this.nodes[place] = undefined;
  }

  /** A node, as chosen by a load balancer. */
  anyNode(): RunningServer {
    const running = this.nodes.filter((node) => node !== undefined);
    const node = running[this.#turn++ % Math.max(1, running.length)];
    if (node === undefined) throw new Error('No node is running.');
    return node;
  }

  /** The rows of GET /v1/tables, by table and id. */
  async plainTables(release: number): Promise<Record<string, Record<string, Json>>> {
    const all: Record<string, Record<string, Json>> = {};
    for (const { name, props } of tablesOf(release)) {
      const { rows } = (await this.#ask(`/v1/tables/${name}`)) as {
        rows: { id: string; props: Json }[];
      };
      all[name] = Object.fromEntries(rows.map((row) => [row.id, pick(row.props, props)]));
    }
    return all;
  }

  /** Asks until a node answers: one may be restarting with a newer schema. */
  async #ask(path: string): Promise<unknown> {
    const headers = { authorization: `Bearer dev:${this.user}` };
    const deadline = performance.now() + patience(30_000);
    for (;;) {
      const answer = await fetch(this.anyNode().url + path, { headers }).catch(() => null);
      if (answer?.status === 200) return answer.json();
      if (performance.now() > deadline) throw new Error(`${path} is not answered.`);
      await pause(50);
    }
  }

  /** The rows in SQL. On PGlite nothing else may run meanwhile. */
  async sqlRows(release: number): Promise<Record<string, Record<string, Json>>> {
    const database = await this.openDatabase();
    try {
      const all: Record<string, Record<string, Json>> = {};
      for (const { name, props } of tablesOf(release)) {
        const columns = props.map((prop) =>
          prop.type === 'date' ? `skerry.to_ms(${prop.name}) as ${prop.name}` : prop.name,
        );
        const rows = await database.query<{ id: string; row: string }>(
          `select t.id, (select row_to_json(p) from (select ${columns.join(', ')}) p)::text as row
             from public.${name} t where deleted_at is null`,
        );
        all[name] = Object.fromEntries(
          rows.map(({ id, row }) => [id, pick(JSON.parse(row) as Json, props)]),
        );
      }
      return all;
    } finally {
      await database.close();
    }
  }

  async openDatabase(): Promise<Database> {
    const url = await this.#url();
    return url === undefined ? openPGlite(join(this.folder.path, 'node-0')) : openPostgres(url, 1);
  }

  async remove(): Promise<void> {
    for (const place of this.nodes.keys()) await this.stop(place);
    this.folder.remove();
  }
}
