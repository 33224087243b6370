// A server in this process whose database other programs write to: by SQL of their own.

import { join } from 'node:path';
import type { Client } from 'pg';
import { expect } from 'vitest';
import { checkDatabase } from '../../../server/src/check/check.ts';
import type { Database } from '../../../server/src/db/database.ts';
import { openPGlite } from '../../../server/src/db/pglite.ts';
import { openPostgres } from '../../../server/src/db/postgres.ts';
import type { RunningServer } from '../../../server/src/options.ts';
import { createServer } from '../../../server/src/server.ts';
import type { SchemaDescription } from '../../../server/src/sql/description.ts';
import { propsObject, type SqlTable, sqlSchema } from '../../../server/src/sql/tables.ts';
import { placeDatabase } from '../../support/initialised.ts';
import { connectTo, makeDatabase, postgresUrl } from './database.ts';
import { Follower } from './follower.ts';
import { testSchema } from './schemas.ts';
import { Folder, type Json, WireClient } from './server.ts';

interface Place {
  readonly folder: Folder;
  /** Of PostgreSQL; without it PGlite in `data`. */
  readonly url: string | undefined;
  readonly data: string;
  readonly schema: SchemaDescription;
  readonly logged: string[];
}

async function placeOf(schema: SchemaDescription): Promise<Place> {
  const folder = new Folder();
  const data = join(folder.path, 'data');
  if (postgresUrl === undefined) {
    return { folder, schema, logged: [], url: undefined, data: placeDatabase(data) };
  }
  const name = `foreign_${folder.path.slice(-6).toLowerCase()}`;
  return { folder, schema, logged: [], data, url: await makeDatabase(postgresUrl, name) };
}

function start({ url, data, schema, logged }: Place): Promise<RunningServer> {
  const database = url ?? data;
  const log = (message: string, error: unknown) => {
    logged.push(message);
    console.error(message, error);
  };
  const common = { schema, auth: { dev: true }, port: 0, warn: () => {}, log } as const;
  return createServer({ ...common, database, data });
}

export class ForeignWorld {
  #server: RunningServer;
  readonly #place: Place;
  readonly #programs: Client[] = [];
  #writer: Promise<Client> | undefined;

  private constructor(server: RunningServer, place: Place) {
    this.#server = server;
    this.#place = place;
  }

  static async open(schema: SchemaDescription = testSchema): Promise<ForeignWorld> {
    const place = await placeOf(schema);
    return new ForeignWorld(await start(place), place);
  }

  get server(): RunningServer {
    return this.#server;
  }

  /** What the server has logged. */
  get logged(): readonly string[] {
    return this.#place.logged;
  }

  get #url(): string | undefined {
    return this.#place.url;
  }

  /** Stops the server, lets a program write, and starts it again. */
  async restart(work: (database: Database) => Promise<void>): Promise<void> {
    await this.#server.close();
    const { url, data } = this.#place;
    const database = await (url === undefined ? openPGlite(data) : openPostgres(url));
    await work(database);
    await database.close();
    this.#server = await start(this.#place);
  }

  /** What `skerry-server check` finds. */
  async findings(): Promise<readonly string[]> {
    const { schema } = this.#place;
    let found: readonly string[] = [];
    const work = async (database: Database) => {
      found = (await checkDatabase(database, schema)).findings;
    };
    if (this.#url === undefined) await this.restart(work);
    else {
      const database = await openPostgres(this.#url);
      await work(database).finally(() => database.close());
    }
    return found;
  }

  get databaseUrl(): string {
    if (this.#url === undefined) throw new Error('PGlite has no address.');
    return this.#url;
  }

  /** On PostgreSQL a connection of its own; on PGlite the application's code in the server's process. */
  async program(): Promise<Client> {
    if (this.#url === undefined) throw new Error('PGlite has no connections.');
    const client = await connectTo(this.#url);
    this.#programs.push(client);
    return client;
  }

  /** One transaction of another program. */
  async write(...statements: readonly string[]): Promise<void> {
    if (this.#url === undefined) {
      await this.server.sql.transaction(async (tx) => {
        for (const statement of statements) await tx.query(statement);
      });
      return;
    }
    this.#writer ??= connectTo(this.#url);
    const client = await this.#writer;
    await client.query('begin');
    try {
      for (const statement of statements) await client.query(statement);
      await client.query('commit');
    } catch (error) {
      await client.query('rollback');
      throw error;
    }
  }

  client(user = 'ada'): WireClient {
    return new WireClient(this.server.url, user);
  }

  follower(user = 'ada'): Follower {
    return new Follower(
      this.server.url,
      user,
      this.#place.schema.tables.map(({ name }) => name).filter((name) => !name.startsWith('$')),
    );
  }

  /** The live rows once all is done that follows from what was written. */
  async settledRows(): Promise<Map<string, Json>> {
    const owed = async () =>
      (await this.server.sql.query(`select 1 as owed from skerry.owed limit 1`)).length;
    await expect.poll(owed).toBe(0);
    return this.rows();
  }

  /** The live rows: props by `realm table id`, without those that are null. */
  async rows(): Promise<Map<string, Json>> {
    const all = new Map<string, Json>();
    for (const table of sqlSchema(this.#place.schema).values()) {
      for (const { key, props } of await this.#rowsOf(table)) all.set(key, filled(props));
    }
    return all;
  }

  async #rowsOf(table: SqlTable): Promise<{ key: string; props: Json }[]> {
    if (table.isSystem === true) return [];
    const rows = await this.server.sql.query<{ realm: string; id: string; props: string }>(
      `select t.realm, t.id, (${propsObject(table, 't')})::text as props from ${table.name} t where t.deleted_at is null`,
    );
    return rows.map(({ realm, id, props }) => ({
      key: `${realm} ${table.table} ${id}`,
      props: JSON.parse(props) as Json,
    }));
  }

  /** Ends the connections of programs. */
  async endPrograms(): Promise<void> {
    for (const client of this.#programs.splice(0)) await client.end();
  }

  async close(): Promise<void> {
    await this.endPrograms();
    await (await this.#writer)?.end();
    await this.server.close();
    this.#place.folder.remove();
  }
}

/** Without what is null, and dates as numbers. */
export function filled(props: Json): Json {
  const plain = Object.entries(props).map(([name, value]) => [name, plainOf(value)]);
  return Object.fromEntries(plain.filter(([, value]) => value !== null));
}

function plainOf(value: unknown): unknown {
  const isEnvelope = typeof value === 'object' && value !== null && '$type' in value;
  return isEnvelope ? ((value as { v?: unknown }).v ?? null) : value;
}
