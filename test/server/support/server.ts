// A real server for a test: the built command in a process of its own, on a temporary folder and a free port; and a
// client of the wire that does not use the package.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { placeDatabase, quickStart } from '../../support/initialised.ts';
import { makeDatabase, postgresUrl } from './database.ts';
import { testSchema } from './schemas.ts';

const kMain = join(import.meta.dirname, '../../../server/dist/main.js');

export type Json = Record<string, unknown>;

export interface TestServer {
  readonly url: string;
  readonly output: () => string;
  readonly process: ChildProcess;
  /** Kills it without warning. */
  kill(): Promise<void>;
  /** Asks it to stop; resolves to its exit code. */
  stop(): Promise<number | null>;
}

export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'skerry-server-'));
  readonly data = join(this.path, 'data');
  readonly children: ChildProcess[] = [];

  file(name: string, text: string): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    return path;
  }

  /** `exports`: more of the module, as text; the whole of it, if `schema` is null. */
  schema(schema: unknown = testSchema, exports = ''): string {
    const begin = schema === null ? '' : `export default ${JSON.stringify(schema)};\n`;
    const text = begin + exports;
    return this.file(`schema-${randomUUID()}.mjs`, text);
  }

  /** Ends processes that a failed test may have left, and removes everything. */
  remove(): void {
    for (const child of this.children) if (child.exitCode === null) child.kill('SIGKILL');
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface StartOptions {
  /** Of tests that say nothing of invitations, these count at once. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A database for each folder, if the tests run on PostgreSQL. */
async function databaseOf(folder: Folder): Promise<Record<string, string>> {
  if (postgresUrl === undefined) return {};
  const name = `skerry_${folder.path.slice(-6).toLowerCase()}`;
  return { DATABASE_URL: await makeDatabase(postgresUrl, name) };
}

/** Starts the command in a process; resolves with the server, or rejects with its output. */
export async function startServer(
  folder: Folder,
  schemaPath: string,
  options: StartOptions = {},
): Promise<TestServer> {
  const database = options.env?.DATABASE_URL ? {} : await databaseOf(folder);
  const onPGlite = postgresUrl === undefined && !options.env?.DATABASE_URL;
  if (onPGlite) placeDatabase(folder.data);
  const flags = onPGlite ? quickStart : [];
  const args = ['--schema', schemaPath, '--port', '0', '--data', folder.data];
  const { DATABASE_URL: _none, SKERRY_SECRET: _noSecret, ...environment } = process.env;
  const given = options.args ?? ['--dev'];
  const invitations = given.includes('--invitations') ? [] : ['--invitations', 'direct'];
  const child = spawn(process.execPath, [...flags, kMain, ...args, ...given, ...invitations], {
    env: { ...environment, ...database, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  folder.children.push(child);
  let output = '';
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return new Promise((resolve, reject) => {
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      const url = /^skerry-server ready (\S+)$/m.exec(output)?.[1];
      if (url === undefined) return;
      resolve({
        url,
        process: child,
        output: () => output,
        async kill() {
          child.kill('SIGKILL');
          await ended;
        },
        stop() {
          child.kill('SIGTERM');
          return ended;
        },
      });
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', reject);
    void ended.then((code) => reject(new Error(`The server ended with ${code}:\n${output}`)));
  });
}

export interface Answer {
  readonly status: number;
  readonly body: Json;
  readonly headers: Headers;
}

export async function post(
  url: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Json),
  };
}

let lastTime = 0;

/** A UUIDv7, as clients make them: their order is that of their creation. */
export function uuid7(): string {
  lastTime = Math.max(lastTime + 1, Date.now());
  const time = lastTime.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

export interface Link {
  readonly seq: number;
  readonly id: string;
}

export interface WireUpdate extends Json {
  readonly id: string;
  readonly after: Record<string, Link | null>;
  readonly ops: readonly Json[];
}

/** A client of the wire: one identity, its chain, its cursors. */
export class WireClient {
  readonly id = uuid7();
  readonly url: string;
  readonly user: string;
  chain: Record<string, Link> = {};
  cursors: Record<string, string> = {};
  scopes: Json[] = [];

  constructor(url: string, user = 'anna') {
    this.url = url;
    this.user = user;
  }

  get headers(): Record<string, string> {
    return { authorization: `Bearer dev:${this.user}` };
  }

  /** The next update of the chain in the realms that its ops name. */
  update(ops: readonly Json[], more: Json = {}): WireUpdate {
    const realms = new Set<string>();
    for (const op of ops) {
      realms.add(String(op.realm));
      if (op.to !== undefined) realms.add(String(op.to));
    }
    const after: Record<string, Link | null> = {};
    for (const realm of [...realms].sort()) after[realm] = this.chain[realm] ?? null;
    const at = Date.now();
    const update: WireUpdate = {
      id: uuid7(),
      after,
      base: Object.fromEntries([...realms].map((realm) => [realm, 0])),
      at,
      actions: [{ id: uuid7(), name: 'test', arg: null, at }],
      ops: ops.map((op) => ({ ...op, by: [0] })),
      ...more,
    };
    for (const realm of realms) {
      this.chain[realm] = { seq: (after[realm]?.seq ?? 0) + 1, id: update.id };
    }
    return update;
  }

  /** After a rejection: the next update follows what this one followed. */
  takeBack({ after }: WireUpdate): void {
    for (const [realm, link] of Object.entries(after)) {
      if (link === null) delete this.chain[realm];
      else this.chain[realm] = link;
    }
  }

  send(updates: readonly Json[], more: Json = {}): Promise<Answer> {
    const body = { client: this.id, schema: 1, epoch: 1, seen: {}, updates, ...more };
    return post(this.url, '/v1/push', body, this.headers);
  }

  /** Pushes one new update with these ops, and returns its result. */
  async push(ops: readonly Json[]): Promise<Json> {
    const { status, body } = await this.send([this.update(ops)]);
    if (status !== 200) throw new Error(`push: ${status} ${JSON.stringify(body)}`);
    return (body.results as Json[])[0] as Json;
  }

  /** Pushes one new update, again while it is busy, until it is applied or rejected. `answered`: after each answer. */
  async pushUntilSettled(ops: readonly Json[], answered = () => {}): Promise<Json> {
    const tries = 50;
    const update = this.update(ops);
    for (let attempt = 0; attempt < tries; attempt++) {
      const { status, body } = await this.send([update]);
      answered();
      const result = status === 200 ? ((body.results as Json[])[0] as Json) : body;
      if (result.status === 'busy' || body.code === 'busy') continue;
      if (result.status === 'rejected') this.takeBack(update);
      else if (result.status !== 'applied')
        throw new Error(`push: ${status} ${JSON.stringify([body, ops])}`);
      return result;
    }
    throw new Error(`A push was busy ${tries} times: ${JSON.stringify(ops)}`);
  }

  request(more: Json = {}): Json {
    return {
      client: this.id,
      schema: 1,
      cursors: this.cursors,
      realmsToken: null,
      have: [],
      seen: {},
      scopes: this.scopes,
      limit: 10_000,
      ...more,
    };
  }

  pull(more: Json = {}): Promise<Answer> {
    return post(this.url, '/v1/pull', this.request(more), this.headers);
  }

  /** Pulls until there is no more, folding the changes of plain pulls into rows by realm, table and id. */
  async sync(rows: Map<string, Json>): Promise<void> {
    for (let round = 0; round < 200; round++) {
      const { status, body } = await this.pull();
      if (status !== 200) throw new Error(`pull: ${status} ${JSON.stringify(body)}`);
      foldChanges(rows, body.changes as Json[]);
      this.cursors = { ...this.cursors, ...(body.cursors as Record<string, string>) };
      if (body.more !== true) return;
    }
    throw new Error('pull: no end');
  }
}

function keyOf(change: Json): string {
  return `${String(change.realm)} ${String(change.table)} ${String(change.id)}`;
}

export function foldChanges(rows: Map<string, Json>, changes: readonly Json[]): void {
  for (const change of changes) {
    const key = keyOf(change);
    if (change.change === 'create') rows.set(key, { ...(change.set as Json) });
    else if (change.change === 'update') {
      rows.set(key, { ...rows.get(key), ...(change.set as Json) });
    } else rows.delete(key);
  }
}
