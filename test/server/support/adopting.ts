// A database with tables of an application, and the command that adopts them.

import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { connectTo, makeDatabase, postgresUrl } from './database.ts';
import { Follower } from './follower.ts';
import { Folder, type Json, startServer, type TestServer, WireClient } from './server.ts';

const kMain = join(import.meta.dirname, '../../../server/dist/main.js');
// Below the tree, so that the package is found by the schema that is written.
const kModules = join(import.meta.dirname, '../../../node_modules');

export interface Ran {
  readonly code: number | null;
  readonly said: string;
}

export class AdoptedApp {
  readonly folder: Folder;
  readonly schema: string;
  readonly url: string;
  /** The application's own connection. */
  readonly sql: Client;
  server: TestServer | undefined;

  private constructor(folder: Folder, url: string, sql: Client) {
    this.folder = folder;
    this.url = url;
    this.sql = sql;
    this.schema = join(kModules, `.skerry-adopted-${folder.path.slice(-6)}.mjs`);
  }

  static async open(tables: string): Promise<AdoptedApp> {
    const folder = new Folder();
    const name = `adopt_${folder.path.slice(-6).toLowerCase()}`;
    const url = await makeDatabase(postgresUrl ?? '', name);
    const sql = await connectTo(url);
    await sql.query(tables);
    return new AdoptedApp(folder, url, sql);
  }

  /** `skerry-server adopt`; each table as `projects=owner_id`. */
  adopt(tables: readonly string[], ...more: readonly string[]): Promise<Ran> {
    const named = tables.flatMap((each) => {
      const [table = '', realm] = each.split('=');
      return ['--table', table, ...(realm === undefined ? [] : ['--realm-from', realm])];
    });
    return this.run('--schema', this.schema, ...named, ...more);
  }

  run(...args: readonly string[]): Promise<Ran> {
    const child = spawn(process.execPath, [kMain, 'adopt', '--database', this.url, ...args]);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
    }
    return new Promise((resolve) => child.once('exit', (code) => resolve({ code, said })));
  }

  get schemaText(): string {
    return readFileSync(this.schema, 'utf8');
  }

  /** Makes room for another schema. */
  removeSchema(): void {
    rmSync(this.schema);
  }

  async start(): Promise<TestServer> {
    const env = { DATABASE_URL: this.url };
    this.server = await startServer(this.folder, this.schema, { env });
    return this.server;
  }

  follower(user: string, tables: readonly string[]): Follower {
    return new Follower(this.server?.url ?? '', user, tables);
  }

  client(user: string): WireClient {
    return new WireClient(this.server?.url ?? '', user);
  }

  async rows(sql: string): Promise<Json[]> {
    return (await this.sql.query<Json>(sql)).rows;
  }

  async stop(): Promise<void> {
    await this.server?.stop();
    this.server = undefined;
  }

  async close(): Promise<void> {
    await this.server?.kill();
    await this.sql.end();
    for (const path of [this.schema, `${this.schema}.new`]) rmSync(path, { force: true });
    this.folder.remove();
  }
}

/** The rows of a table that a follower has, by id, with their realms. */
export function rowsIn(follower: Follower, table: string): Map<string, Json & { realm: string }> {
  const found = new Map<string, Json & { realm: string }>();
  for (const [key, props] of follower.rows) {
    const [realm = '', name, id = ''] = key.split(' ');
    if (name === table) found.set(id, { ...props, realm });
  }
  return found;
}
