// A server in this process whose database other programs write to: by SQL of their own.

import { join } from 'node:path';
import type { Client } from 'pg';
import type { RunningServer } from '../../../server/src/options.ts';
import { createServer } from '../../../server/src/server.ts';
import type { SchemaDescription } from '../../../server/src/sql/description.ts';
import { propsObject, type SqlTable, sqlSchema } from '../../../server/src/sql/tables.ts';
import { copiedDatabase } from '../../support/initialised.ts';
import { connectTo, makeDatabase, postgresUrl } from './database.ts';
import { Follower } from './follower.ts';
import { testSchema } from './schemas.ts';
import { Folder, type Json, WireClient } from './server.ts';

/** A connection of another program. */
export interface Program {
  run(sql: string): Promise<Json[]>;
  end(): Promise<void>;
}

export class ForeignWorld {
  readonly folder = new Folder();
  readonly server: RunningServer;
  readonly #url: string | undefined;
  readonly #programs: Client[] = [];
  readonly schema: SchemaDescription;

  private constructor(server: RunningServer, schema: SchemaDescription, url: string | undefined) {
    this.server = server;
    this.schema = schema;
    this.#url = url;
  }

  static async open(schema: SchemaDescription = testSchema): Promise<ForeignWorld> {
    const folder = new Folder();
    const url =
      postgresUrl === undefined
        ? undefined
        : await makeDatabase(postgresUrl, `foreign_${folder.path.slice(-6).toLowerCase()}`);
    const server = await createServer({
      ...{ schema, auth: { dev: true }, port: 0, warn: () => {} },
      database: url ?? copiedDatabase() ?? join(folder.path, 'data'),
      ...(url === undefined ? {} : { data: join(folder.path, 'data') }),
    });
    return new ForeignWorld(server, schema, url);
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
    const [client = await this.program()] = this.#programs;
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
      this.schema.tables.map(({ name }) => name).filter((name) => !name.startsWith('$')),
    );
  }

  /** The live rows: props by `realm table id`, without those that are null. */
  async rows(): Promise<Map<string, Json>> {
    const all = new Map<string, Json>();
    for (const table of sqlSchema(this.schema).values()) {
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

  async close(): Promise<void> {
    for (const client of this.#programs) await client.end();
    await this.server.close();
    this.folder.remove();
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
