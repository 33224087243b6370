// A server: opens database, authority, flusher, sockets and routes, connects them, and closes them in order.

import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { createAuth } from './auth/auth.ts';
import { anyHost, checkDevAddress, loopbackHosts } from './auth/loopback.ts';
import { Authority } from './authority/authority.ts';
import { type CallerLimits, callerLimits, limits } from './base/limits.ts';
import { Callers } from './cost/callers.ts';
import { connectionsOf } from './cost/connections.ts';
import { DatabaseClock } from './db/clock.ts';
import { type Database, sqlState } from './db/database.ts';
import { lockDirectory } from './db/directory-lock.ts';
import { PgChannel } from './db/pg-channel.ts';
import { openPGlite } from './db/pglite.ts';
import { openPostgres } from './db/postgres.ts';
import { followSchema } from './follow-schema.ts';
import { createApp } from './http/app.ts';
import { explainListen } from './http/explain-listen.ts';
import { FolderStore } from './image/folder-store.ts';
import { Images, schemaHash } from './image/images.ts';
import { SharedStore } from './image/shared-store.ts';
import { PlainTables } from './plain/plain-table.ts';
import { SealedTimes } from './plain/sealed-time.ts';
import { PokeHub } from './poke/hub.ts';
import { PokeRelay, type Pokes } from './poke/relay.ts';
import { servePokes } from './poke/sockets.ts';
import { Puller } from './pull/pull.ts';
import { Committer } from './push/commit.ts';
import type { Entry } from './push/done.ts';
import { Flusher } from './push/flusher.ts';
import { describeSchema } from './schema-module.ts';
import { runSeed, type Seed } from './seed/seed.ts';
import { applySchema } from './sql/apply-schema.ts';
import type { SchemaDescription } from './sql/description.ts';
import { withLeftColumns } from './sql/left-columns.ts';
import { lockTables, migrate, readMeta, writeMeta } from './sql/migrations.ts';
import { fenced, readNewest, widenedBy, writeNewest } from './sql/newest-schema.ts';
import { type SqlSchema, sqlSchema } from './sql/tables.ts';

export interface ServerOptions {
  /** The result of schema() of the package `skerry`, or its description. */
  readonly schema: unknown;
  /** The folder of PGlite's database and of the images. */
  readonly data: string;
  /** `postgres://…`; without it PGlite in `data`. */
  readonly databaseUrl?: string | undefined;
  /** Whether nodes notify each other of commits by LISTEN and NOTIFY (the default); they also poll in any case. */
  readonly notify?: boolean | undefined;
  readonly auth: {
    /** The key of HS256 tokens, at least 32 bytes; the second of two is the previous one. */
    readonly secret?: string | readonly [string, string] | undefined;
    readonly issuer?: string | undefined;
    readonly audience?: string | undefined;
    readonly typ?: string | undefined;
    readonly dev?: boolean | undefined;
    /** Host names besides the loopback ones that a server with `dev` answers to. */
    readonly devHosts?: readonly string[] | undefined;
  };
  readonly host?: string | undefined;
  /** 0 takes a free port. */
  readonly port: number;
  /** A folder of files to serve beside the API. */
  readonly files?: string | undefined;
  /** Origins of other servers whose pages may call this one. */
  readonly origins?: readonly string[] | undefined;
  readonly seed?: Seed | undefined;
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

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Accepts no more requests, finishes those in progress, and closes the database. */
  close(): Promise<void>;
}

const kDefaultHost = '127.0.0.1';
const kPrepareTries = 5;
/** For the sealed times of /v1/tables (plain/sealed-time.ts): one key for all nodes of a database. */
const kTimesKey = 'times-key';

/**
 * Prepares the tables for this server, one node at a time; other nodes that serve meanwhile may conflict. Returns the
 * schema to serve: its own, or the newer one that the database has been served with.
 */
async function prepare(database: Database, own: SchemaDescription): Promise<SchemaDescription> {
  await migrate(database);
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.transaction({ mode: 'tables' }, async (tx) => {
        await lockTables(tx);
        const newest = await readNewest(tx);
        if ((await readMeta(tx, 'id')) === null) await writeMeta(tx, 'id', randomUUID());
        if ((await readMeta(tx, kTimesKey)) === null)
          await writeMeta(tx, kTimesKey, randomBytes(32).toString('hex'));
        if (newest !== null && newest.version > own.version) {
          const served = widenedBy(newest, own);
          await applySchema(tx, served, sqlSchema(served));
          return served;
        }
        await applySchema(tx, own, sqlSchema(own), newest);
        await writeNewest(tx, own);
        return own;
      });
    } catch (error) {
      // A deadlock with a push, which continues; any other error would happen again.
      if (attempt >= kPrepareTries || !sqlState(error).startsWith('40')) throw error;
    }
  }
}

/** The store of images: in this node's folder, or, if nodes share a database, in a table. */
async function openImages(data: string, url: string | undefined, authority: Authority) {
  const hash = schemaHash(authority);
  const folder = join(data, 'images');
  if (!url) return FolderStore.open(folder, hash);
  // PGlite has already locked its folder. Nodes that shared one would delete each other's images.
  const lock = await lockDirectory(data);
  return new SharedStore(await FolderStore.open(folder, hash), await openPostgres(url, 1), {
    schemaHash: hash,
    closed: () => lock.release(),
  });
}

interface PokeParts {
  readonly database: Database;
  readonly hub: PokeHub;
  readonly log: (message: string, error: unknown) => void;
}

interface PokeService {
  readonly pokes: Pokes;
  committed(entries: readonly Entry[]): void;
  close(): Promise<void>;
}

/** Pokes within this node, or, if nodes may share a database, between them. */
function openPokes({ databaseUrl, notify = true }: ServerOptions, parts: PokeParts): PokeService {
  const { hub, log } = parts;
  if (!databaseUrl) {
    return {
      pokes: {
        join: async (listener) => hub.add(listener),
        leave: (listener) => hub.remove(listener),
      },
      committed: (entries) => hub.committed(entries),
      close: async () => {},
    };
  }
  const relay = new PokeRelay(parts);
  if (notify) {
    const notified = (payload: string) => relay.notified(payload);
    const opened = () => relay.catchUp();
    relay.use(new PgChannel(databaseUrl, 'skerry_heads', { notified, opened, log }));
  }
  return {
    pokes: relay,
    committed: (entries) => relay.committed(entries),
    close: () => relay.close(),
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((done, failed) => {
    server.once('error', (error) => failed(explainListen(error, port, host)));
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      // The machine has no room for a connection; only that connection is affected.
      server.on('error', (error) => logError('A connection could not be accepted.', error));
      done((server.address() as AddressInfo).port);
    });
  });
}

/** Stops a server: requests in progress are finished within a limit, idle connections are closed at once. */
async function stop(server: Server, open: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()));
  server.closeIdleConnections();
  // Upgraded connections, too, whose other side may have disappeared silently.
  const deadline = setTimeout(() => {
    for (const socket of open) socket.destroy();
  }, limits.stopWithinMs);
  // Closes connections when they become idle; keep-alive would keep them open.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  await closed;
  clearTimeout(deadline);
  clearInterval(idle);
}

function logError(message: string, error: unknown): void {
  console.error(message, error);
}

/** Starts a server. It restarts by itself when another node on its database serves a newer schema. */
export function createServer(options: ServerOptions): Promise<RunningServer> {
  const { warn = console.warn, failed = throwLater } = options;
  const start = (port: number, outdated: () => void) => startOnce({ ...options, port }, outdated);
  return followSchema({ start, port: options.port, warn, failed });
}

function throwLater(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

async function startOnce(options: ServerOptions, outdated: () => void): Promise<RunningServer> {
  const { warn = console.warn, progress = () => {} } = options;
  openAuthentication(options); // Unsafe options are reported before anything is opened.
  const own = describeSchema(options.schema);
  sqlSchema(own); // Its names are checked before anything is opened.
  let authority = await Authority.load(own);
  const data = resolve(options.data);
  mkdirSync(data, { recursive: true });
  try {
    const opened = options.databaseUrl
      ? await openPostgres(options.databaseUrl, limits.databaseConnections, limits, progress)
      : await openPGlite(data);
    try {
      const description = await prepare(opened, own);
      if (description !== own) {
        warn(
          `The database has been served with version ${description.version} of the schema; this server has version ${own.version}. It serves version ${description.version}, to clients of both.`,
        );
        const newer = await Authority.load(description);
        await authority.close();
        authority = newer;
      }
      // A database in this process has no other nodes.
      const database = options.databaseUrl ? fenced(opened, description.version, outdated) : opened;
      const tables = await withLeftColumns(opened, sqlSchema(description));
      return await start(options, { description, tables, authority, data, database });
    } catch (error) {
      await opened.close();
      throw error;
    }
  } catch (error) {
    // Its threads would keep the process alive.
    await authority.close();
    throw error;
  }
}

/** Authentication, and the host names to answer to. Throws SetupError for unsafe options. */
function openAuthentication({ auth, host = kDefaultHost }: ServerOptions) {
  const { secret, dev = false, devHosts = [], ...must } = auth;
  const [current = null, previousSecret] = typeof secret === 'string' ? [secret] : (secret ?? []);
  if (dev) checkDevAddress(host, devHosts);
  return {
    authenticate: createAuth({ ...must, secret: current, previousSecret, dev }),
    hosts: dev ? loopbackHosts(devHosts) : anyHost,
  };
}

interface Parts {
  readonly description: SchemaDescription;
  readonly tables: SqlSchema;
  readonly authority: Authority;
  readonly data: string;
  readonly database: Database;
}

async function start(options: ServerOptions, parts: Parts): Promise<RunningServer> {
  const { description, tables, authority, database } = parts;
  const { log = logError, progress = () => {}, host = kDefaultHost } = options;
  const times = new SealedTimes((await readMeta(database, kTimesKey)) ?? '');
  const committer = new Committer(database, authority, tables);
  const store = await openImages(parts.data, options.databaseUrl, authority);
  const images = new Images(store, authority, tables);
  const seeded =
    options.seed === undefined
      ? new Set<string>()
      : await seedFirst(options.seed, { database, committer, progress });
  await gatherStatistics(database);
  await makeImages(seeded, { database, images, progress });
  const autosubscribed = [...tables.values()].filter((table) => table.autosubscribe);
  const hub = new PokeHub(new Set(autosubscribed.map(({ table }) => table)));
  const relay = openPokes(options, { database, hub, log });
  const { authenticate, hosts } = openAuthentication(options);
  const origins = new Set(options.origins ?? []);
  const { trustProxy = false } = options;
  const bounds = { ...callerLimits, ...options.limits };
  const reads =
    database.kind === 'pglite'
      ? limits.pgliteReads
      : limits.databaseConnections - limits.connectionsForPushes;
  const callers = new Callers(bounds, reads);
  const flusher = new Flusher({
    committer,
    shares: callers.shares,
    committed: (entries) => relay.committed(entries),
    pause: (ms) => pause(ms),
    log,
  });
  const app = createApp({
    schema: description,
    database,
    clock: await DatabaseClock.open(database),
    authority,
    authenticate,
    callers,
    flusher,
    puller: new Puller({ database, authority, schema: tables, images }),
    images,
    tables: new PlainTables(database, tables, times),
    files: options.files === undefined ? null : resolve(options.files),
    origins,
    hosts,
    log,
  });
  const server = createHttpServer(
    { headersTimeout: limits.headersTimeoutMs, requestTimeout: limits.requestTimeoutMs },
    getRequestListener((request, env) => app.fetch(request, env)),
  );
  const open = connectionsOf(server, bounds, trustProxy);
  const { pokes } = relay;
  const sockets = servePokes(server, {
    ...{ authenticate, database, authority, pokes, origins, hosts, log, callers, trustProxy },
    limits: bounds,
  });
  const port = await listen(server, options.port, host);
  return {
    port,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    async close() {
      sockets.close();
      callers.shares.end();
      await stop(server, open);
      await flusher.close();
      await relay.close();
      await store.close();
      await database.close();
      await authority.close();
    },
  };
}

/** PGlite has no process of its own that gathers statistics; without them it sorts where an index would do. */
async function gatherStatistics(database: Database): Promise<void> {
  if (database.kind === 'pglite') await database.execute('analyze');
}

/** Makes the images that the first clients will ask for, so that none of them waits. */
async function makeImages(
  realms: ReadonlySet<string>,
  parts: { database: Database; images: Images; progress: (message: string) => void },
): Promise<void> {
  for (const realm of realms) {
    const { bytes } = await parts.database.transaction({ mode: 'snapshot' }, (tx) =>
      parts.images.offer(tx, realm),
    );
    parts.progress(`Made the image of ${realm}: ${(bytes / 1e6).toFixed(1)} MB`);
  }
}

async function seedFirst(
  seed: Seed,
  parts: { database: Database; committer: Committer; progress: (message: string) => void },
): Promise<ReadonlySet<string>> {
  const began = performance.now();
  return runSeed({
    ...parts,
    seed,
    progress: (rows, done) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      parts.progress(`${done ? 'Filled' : 'Filling'} the database: ${rows} rows, ${seconds} s`);
    },
  });
}
