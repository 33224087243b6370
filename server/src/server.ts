// A server: opens database, authority, flusher, sockets and routes, connects them, and closes them in order.

import type { IncomingMessage } from 'node:http';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { applicationSql } from './application-sql.ts';
import { warnOfKeys } from './auth/jwks.ts';
import { Authority } from './authority/authority.ts';
import { callerLimits, limits } from './base/limits.ts';
import { Metrics } from './base/metrics.ts';
import { heardOf } from './base/pause.ts';
import { SetupError } from './base/setup-error.ts';
import { Comparer } from './compare/compare.ts';
import { MendedRows } from './compare/mended.ts';
import { Consequences } from './consequences/consequences.ts';
import { Callers } from './cost/callers.ts';
import { DatabaseClock } from './db/clock.ts';
import type { Database } from './db/database.ts';
import { lockDirectory } from './db/directory-lock.ts';
import { OutageLog } from './db/outage-log.ts';
import { PgChannel } from './db/pg-channel.ts';
import { openPostgres } from './db/postgres.ts';
import { makeImages, openFolder, seedFirst } from './first-start.ts';
import { followSchema } from './follow-schema.ts';
import { createApp } from './http/app.ts';
import { type Front, Mount, openPort, unlessAnswered } from './http/front.ts';
import { FolderStore } from './image/folder-store.ts';
import { Images, schemaHash } from './image/images.ts';
import { SharedStore } from './image/shared-store.ts';
import { checkOptionNames } from './known-options.ts';
import { RestoreLog } from './offers/restore-log.ts';
import { TakeBack } from './offers/take-back.ts';
import { openRules } from './open-rules.ts';
import { openSnapshots, retentionOf } from './open-snapshots.ts';
import {
  kDefaultHost,
  type MountedServer,
  openAuthentication,
  type Places,
  placesOf,
  type RunningServer,
  type ServerOptions,
} from './options.ts';
import { PlainTables } from './plain/plain-table.ts';
import { SealedTimes } from './plain/sealed-time.ts';
import { Audiences, type RealmWatch } from './poke/audiences.ts';
import { type Charge, PokeHub } from './poke/hub.ts';
import { PokeRelay } from './poke/relay.ts';
import { servePokes } from './poke/sockets.ts';
import { kRealmsKey, kTimesKey, prepare } from './prepare.ts';
import { Puller } from './pull/pull.ts';
import { RestoreNotice } from './pull/restored.ts';
import { Committer } from './push/commit.ts';
import type { PokedEntry, RightsVersions, WrittenEntry } from './push/done.ts';
import { Flusher } from './push/flusher.ts';
import { FullStreams } from './push/full-streams.ts';
import type { InvitationMode } from './push/member-limits.ts';
import { Retention } from './retention/retention.ts';
import { Grants } from './rights/grants.ts';
import { RealmsTokens } from './rights/realms-token.ts';
import { describeSchema } from './schema-module.ts';
import { checkFilesFolder, checkOrigins, explainRights, makeDataFolder } from './setup-checks.ts';
import { readAdoptedNames } from './sql/adopted-names.ts';
import type { SchemaDescription } from './sql/description.ts';
import { withLeftColumns } from './sql/left-columns.ts';
import { readMeta } from './sql/meta.ts';
import { fenced } from './sql/newest-schema.ts';
import { Statistics } from './sql/statistics.ts';
import { type SqlSchema, sqlSchema } from './sql/tables.ts';

/** The keys of realms tokens: the configured ones, and that of the database, by which it has signed without them. */
async function realmsKeys({ realmsKey }: ServerOptions, database: Database): Promise<string[]> {
  const own = await readMeta(database, kRealmsKey);
  const configured = typeof realmsKey === 'string' ? [realmsKey] : (realmsKey ?? []);
  return [...configured, ...(own === null ? [] : [own])];
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
  readonly outage: OutageLog;
  readonly database: Database;
  readonly hub: PokeHub;
  readonly grants: Grants;
  readonly statistics: Statistics | null;
  readonly log: (message: string, error: unknown) => void;
}

interface Commits {
  readonly heads: RealmWatch;
  /** With the rights that the entries have changed. */
  committed(entries: readonly PokedEntry[], rights: RightsVersions): void;
  /** The rights of these users have changed otherwise than by memberships. */
  changed(users: readonly string[]): void;
  /** The application's SQL may have written something. */
  written(): void;
  close(): Promise<void>;
}

/** The commits of this node, or, if nodes may share a database, of all of them. */
function openCommits(
  { databaseUrl }: Places,
  notify: boolean | undefined,
  parts: PokeParts,
): Commits {
  const { database, hub, log, grants, outage, statistics } = parts;
  const isAlone = databaseUrl === undefined;
  const relay = new PokeRelay({
    ...{ database, hub, log, isAlone },
    reached: outage.reached,
    written: statistics === null ? undefined : (changes) => statistics.written(changes),
    changed: (users) => {
      for (const user of users) grants.changed(user);
    },
  });
  if (!isAlone && notify !== false) {
    const notified = (payload: string) => relay.notified(payload);
    const opened = () => relay.catchUp();
    relay.use(new PgChannel(databaseUrl, 'skerry_heads', { notified, opened, log }));
  }
  return {
    heads: relay,
    committed: (entries, rights) => relay.committed(entries, rights),
    changed: (users) => relay.changed(users),
    written: () => relay.lookForForeign(),
    close: () => relay.close(),
  };
}

function logError(message: string, error: unknown): void {
  console.error(message, error);
}

/** Starts a server. It restarts by itself when another node on its database serves a newer schema. */
export function createServer(
  options: ServerOptions & { readonly port: number },
): Promise<RunningServer>;
export function createServer(options: ServerOptions): Promise<MountedServer>;
export async function createServer(options: ServerOptions): Promise<RunningServer> {
  checkOptionNames(options);
  const { warn = console.warn, failed = throwLater } = options;
  // A free port is chosen once: a restart takes the same.
  const start = (port: number, outdated: () => void) =>
    startOnce(options.port === undefined ? options : { ...options, port }, outdated);
  return followSchema({ start, port: options.port ?? 0, warn, failed });
}

function throwLater(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

async function startOnce(options: ServerOptions, outdated: () => void): Promise<RunningServer> {
  const { warn = console.warn, progress = () => {} } = options;
  // Unsafe options are reported before anything is opened.
  openAuthentication(options);
  checkFilesFolder(options.files);
  checkOrigins(options.origins);
  const grants = new Grants({ ...options, log: options.log ?? logError });
  const places = placesOf(options);
  if (typeof options.auth !== 'function') void warnOfKeys(options.auth.jwks, warn);
  const own = describeSchema(options.schema);
  sqlSchema(own); // Its names are checked before anything is opened.
  let authority = await Authority.load(own);
  const { data, databaseUrl } = places;
  try {
    makeDataFolder(data);
    const opened = databaseUrl
      ? await openPostgres(databaseUrl, limits.databaseConnections, limits, progress)
      : await openFolder(data, progress, warn);
    try {
      const description = await prepare(opened, own, warn).catch((error: unknown) => {
        throw explainRights(error, databaseUrl);
      });
      if (description !== own) {
        warn(
          `The database has been served with version ${description.version} of the schema; this server has version ${own.version}. It serves version ${description.version}, to clients of both.`,
        );
        const newer = await Authority.load(description);
        await authority.close();
        authority = newer;
      }
      // A database in this process has no other nodes.
      const database = databaseUrl ? fenced(opened, description.version, outdated) : opened;
      const tables = await withLeftColumns(
        opened,
        sqlSchema(description, await readAdoptedNames(opened)),
      );
      return await start(options, { description, tables, authority, places, database, grants });
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

interface ServerParts {
  readonly description: SchemaDescription;
  readonly tables: SqlSchema;
  readonly authority: Authority;
  readonly places: Places;
  readonly database: Database;
  readonly grants: Grants;
}

async function start(options: ServerOptions, parts: ServerParts): Promise<RunningServer> {
  const { description, tables, authority, places, database, grants } = parts;
  const { progress = () => {}, host = kDefaultHost, warn = console.warn } = options;
  const outage = new OutageLog({ log: options.log ?? logError, warn });
  // Of PGlite nothing looks whether it is back: it is in this process.
  const log = places.databaseUrl ? outage.log : (options.log ?? logError);
  const times = new SealedTimes((await readMeta(database, kTimesKey)) ?? '');
  const snapshots = await openSnapshots(options, database, log);
  const retentionMs = retentionOf(options);
  const tokens = new RealmsTokens(await realmsKeys(options, database), retentionMs);
  const retention = new Retention({ database, authority, schema: tables, retentionMs, log });
  const full = new FullStreams((stream) => snapshots.versionOf(stream));
  const invitations = invitationsOf(options);
  const heardMs = heardOf(retentionMs);
  const rules = await openRules(options, log);
  const committer = new Committer(database, authority, tables, {
    ...{ invitations, full, heardMs, rules },
  });
  const store = await openImages(places.data, places.databaseUrl, authority);
  const images = new Images(store, authority, tables);
  const seeded =
    options.seed === undefined
      ? new Set<string>()
      : await seedFirst(options.seed, { database, committer, progress });
  const statistics = database.kind === 'pglite' ? await Statistics.begin({ database, log }) : null;
  await makeImages(seeded, { database, images, progress });
  const autosubscribed = [...tables.values()].filter((table) => table.autosubscribe);
  const { authenticate, hosts } = openAuthentication(options);
  const origins = new Set(options.origins ?? []);
  const { trustProxy = false } = options;
  const bounds = { ...callerLimits, ...options.limits };
  const reads =
    database.kind === 'pglite'
      ? limits.pgliteReads
      : limits.databaseConnections - limits.connectionsForPushes;
  const callers = new Callers(bounds, reads);
  const charge: Charge = (user, ms) => callers.shares.charge(user, ms);
  const hub = new PokeHub(new Set(autosubscribed.map(({ table }) => table)), charge);
  const commits = openCommits(places, options.notify, {
    ...{ database, hub, log, grants, statistics },
    outage,
  });
  const audiences = new Audiences({ ...{ database, hub, charge }, heads: commits.heads });
  const counted = (entries: readonly WrittenEntry[]) => {
    for (const { changes, appends } of entries) statistics?.written(changes + appends);
  };
  const flusher = new Flusher({
    committer,
    shares: callers.shares,
    committed: (entries, rights) => {
      commits.committed(entries, rights);
      snapshots.committed(entries);
      counted(entries);
    },
    pause: (ms) => pause(ms),
    log,
  });
  const metrics = new Metrics();
  const committedBeside = (entries: readonly WrittenEntry[]) => {
    commits.committed(entries, new Map());
    counted(entries);
  };
  const consequences = new Consequences({
    ...{ database, authority, description, log },
    schema: tables,
    metrics,
    committed: committedBeside,
  });
  const mended = new MendedRows({ metrics, warn });
  const restores = new RestoreLog(warn);
  const app = createApp({
    schema: description,
    database,
    clock: await DatabaseClock.open(database),
    authority,
    authenticate,
    grants,
    callers,
    flusher,
    puller: new Puller({
      ...{ database, authority, schema: tables, images, tokens },
      restored: new RestoreNotice(warn),
      snapshotSaves: Math.min(limits.actionsSaved, snapshots.every),
    }),
    comparer: new Comparer({ database, authority, schema: tables, mended }),
    takeBack: new TakeBack({
      ...{ database, authority, schema: tables, rules, metrics, log: restores },
      isAll: options.takeBack === true,
      committed: committedBeside,
    }),
    images,
    tables: new PlainTables(database, tables, times),
    metrics,
    files: options.files === undefined ? null : resolve(options.files),
    origins,
    hosts,
    trustProxy,
    log,
  });
  const sockets = servePokes({
    ...{
      authenticate,
      grants,
      authority,
      audiences,
      origins,
      hosts,
      log,
      callers,
      trustProxy,
    },
    limits: bounds,
  });
  const isMounted = options.port === undefined;
  const listener = getRequestListener(
    unlessAnswered((request, env) => app.fetch(request, env)),
    {
      // The classes of a server that has other handlers are not this one's to replace.
      overrideGlobalObjects: !isMounted,
    },
  );
  const mount = new Mount(listener);
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    sockets.upgrade(request, socket, head);
  const at = { port: options.port ?? 0, host, bounds, trustProxy, log };
  const close = async () => {
    const writing = [flusher, consequences, snapshots, rules, retention, statistics];
    for (const part of [...writing, audiences, commits, store]) await part?.close();
  };
  const opening: Promise<Front> = isMounted
    ? Promise.resolve(mount)
    : openPort(listener, upgrade, at);
  const front = await opening.catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const { port } = front;
  consequences.begin();
  snapshots.begin();
  retention.begin();
  return {
    port,
    url: isMounted ? '' : `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    handler: mount.handler,
    upgrade,
    rights: {
      changed(user) {
        grants.changed(user);
        commits.changed([user]);
      },
    },
    sql: applicationSql(database, () => {
      commits.written();
      consequences.look();
    }),
    async close() {
      sockets.close();
      restores.close();
      callers.shares.end();
      await front.stop();
      await close();
      await database.close();
      await authority.close();
    },
  };
}

function invitationsOf({ invitations = 'consent' }: ServerOptions): InvitationMode {
  if (invitations === 'consent' || invitations === 'direct') return invitations;
  throw new SetupError('`invitations` (--invitations) is `consent` or `direct`.');
}
