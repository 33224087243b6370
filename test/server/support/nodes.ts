// Several nodes of the server on one database of PostgreSQL, each with a data folder of its own.

import { join } from 'node:path';
import { makeDatabase, postgresUrl, runSql } from './database.ts';
import { Folder, type Json, startServer, type TestServer, WireClient } from './server.ts';

export interface NodeOptions {
  readonly args?: readonly string[];
}

export class Nodes {
  readonly folder = new Folder();
  readonly schema: string;
  readonly running: TestServer[] = [];
  readonly #cluster: string;
  #url: Promise<string> | undefined;

  /** `cluster` is the URL of a cluster; by default that of the whole run. `schema`: by default the tests' own. */
  constructor(cluster: string | undefined = postgresUrl, schema?: unknown) {
    if (cluster === undefined) throw new Error('Several nodes need PostgreSQL.');
    this.#cluster = cluster;
    this.schema = this.folder.schema(schema);
  }

  databaseUrl(): Promise<string> {
    const name = `nodes_${this.folder.path.slice(-6).toLowerCase()}`;
    this.#url ??= makeDatabase(this.#cluster, name);
    return this.#url;
  }

  /** Starts, or restarts, the node of this number. */
  async start(n: number, { args = [] }: NodeOptions = {}): Promise<TestServer> {
    const data = join(this.folder.path, `node-${n}`);
    const server = await startServer(this.folder, this.schema, {
      args: ['--dev', '--data', data, ...args],
      env: { DATABASE_URL: await this.databaseUrl() },
    });
    this.running[n] = server;
    return server;
  }

  /** Runs a statement on the nodes' database. */
  async sql(text: string): Promise<Json[]> {
    return runSql(await this.databaseUrl(), text);
  }

  async remove(): Promise<void> {
    for (const server of this.running) await server?.kill();
    this.folder.remove();
  }
}

/** The same client at another node, as through a load balancer. */
export function clientAt(client: WireClient, url: string): WireClient {
  return Object.assign(Object.create(WireClient.prototype), client, { url }) as WireClient;
}
