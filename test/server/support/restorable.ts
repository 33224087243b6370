// A server whose database is backed up and restored: a copy of PGlite's folder, or of PostgreSQL's database.

import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fetchTransport } from 'skerry/testing';
import { makeDatabase, postgresUrl, runSql } from './database.ts';
import { Folder, startServer, type TestServer } from './server.ts';

export class RestorableServer {
  readonly #folder = new Folder();
  #schema: string;
  readonly #name: string;
  #args: readonly string[];
  #server: TestServer | null = null;

  constructor(schema?: unknown, args: readonly string[] = []) {
    this.#args = ['--dev', ...args];
    this.#schema = this.#folder.schema(schema);
    this.#name = `restored_${this.#folder.path.slice(-6).toLowerCase()}`;
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  /** Reaches the server wherever it runs: requests name the host `restored`. */
  readonly transport: typeof fetchTransport = {
    request: (request) => {
      const { pathname, search } = new URL(request.url);
      return fetchTransport.request({
        ...request,
        url: `${this.url}${pathname}${search}`,
      });
    },
  };

  async start(): Promise<void> {
    const env =
      postgresUrl === undefined
        ? {}
        : { env: { DATABASE_URL: await makeDatabase(postgresUrl, this.#name) } };
    this.#server = await startServer(this.#folder, this.#schema, { ...env, args: this.#args });
  }

  /** From its next start on it serves this schema; `exports` as of `Folder.schema`. */
  release(schema: unknown, exports = ''): void {
    this.#schema = this.#folder.schema(schema, exports);
  }

  /** With more arguments. */
  async restart(args: readonly string[]): Promise<void> {
    this.#args = [...this.#args, ...args];
    await this.stopped(async () => {});
  }

  /** What an operator knows of its database, as variables of a shell. */
  get shell(): Record<string, string> {
    const DATA = this.#folder.data;
    const BACKUP = join(this.#folder.path, 'a-backup');
    if (postgresUrl === undefined) return { DATA, BACKUP };
    const url = new URL(postgresUrl);
    url.pathname = `/${this.#name}`;
    const maintenance = { MAINTENANCE_URL: postgresUrl, DATABASE: this.#name };
    return { DATA, BACKUP, DATABASE_URL: url.href, ...maintenance };
  }

  /** What the server has written since its last start. */
  output(): string {
    return this.#server?.output() ?? '';
  }

  /** The result restores what is stored now, but for the folder of images: a backup of a database does not have it. */
  async backUp(): Promise<() => Promise<void>> {
    const backup = await this.stopped(() => this.#copy(this.#name, `${this.#name}_backup`));
    return () =>
      this.stopped(async () => {
        if (postgresUrl === undefined) rmSync(this.#database(this.#name), { recursive: true });
        else await runSql(postgresUrl, `drop database "${this.#name}"`);
        await backup();
      });
  }

  /** Does it while the server is stopped. */
  async stopped<R>(change: () => R | Promise<R>): Promise<R> {
    await this.#server?.stop();
    const result = await change();
    await this.start();
    return result;
  }

  /** Copies the database; the result copies it back. */
  async #copy(from: string, to: string): Promise<() => Promise<void>> {
    const copy = async (source: string, target: string) => {
      if (postgresUrl !== undefined) {
        await runSql(postgresUrl, `create database "${target}" template "${source}"`);
        return;
      }
      cpSync(this.#database(source), this.#database(target), { recursive: true });
    };
    await copy(from, to);
    return () => copy(to, from);
  }

  /** PGlite's folder. */
  #database(name: string): string {
    return join(name === this.#name ? this.#folder.data : join(this.#folder.path, name), 'pg');
  }

  async remove(): Promise<void> {
    await this.#server?.kill();
    this.#folder.remove();
  }
}
