// The routes. Each handler authenticates first, then looks at the request, then at the database; every failure becomes
// problem+json here, and nowhere else.

import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { type Authenticate, bearer, type User } from '../auth/auth.ts';
import type { Authority } from '../authority/authority.ts';
import { type Database, isUnavailable } from '../db/database.ts';
import type { Images } from '../image/images.ts';
import { limits } from '../limits.ts';
import { type PlainTables, parseTableRequest } from '../plain/plain-table.ts';
import { originAllowed } from '../poke/sockets.ts';
import type { Puller } from '../pull/pull.ts';
import type { Flusher } from '../push/flusher.ts';
import { bindClients, ownerOf, Present } from '../push/locks.ts';
import type { SchemaDescription } from '../sql/description.ts';
import { jsonResponse, readObject } from './body.ts';
import { immutableFile, type StaticFiles } from './files.ts';
import { Problem } from './problem.ts';
import { checkPull, checkSchemaVersion, clientOf, epochOf, updatesOf } from './requests.ts';

/** What Node's listener hands along with a request. */
export interface App {
  Bindings: HttpBindings;
}

export interface AppOptions {
  readonly schema: SchemaDescription;
  readonly database: Database;
  readonly authority: Authority;
  readonly authenticate: Authenticate;
  readonly flusher: Flusher;
  readonly puller: Puller;
  readonly images: Images;
  readonly tables: PlainTables;
  readonly files: StaticFiles | null;
  readonly origins: ReadonlySet<string>;
  readonly log: (message: string, error: unknown) => void;
}

const kClientsRemembered = 50_000;

/** Remembers which client identities are known to be bound to whom, so that a pull need not ask the database. */
class BoundClients {
  readonly #database: Database;
  readonly #known = new Map<string, string>();

  constructor(database: Database) {
    this.#database = database;
  }

  async check(client: string, user: User): Promise<void> {
    const owner = this.#known.get(client) ?? (await this.#bind(client, user));
    if (owner === user.id) return;
    throw new Problem(
      'client_bound',
      'This client identity belongs to another user: take a new one.',
    );
  }

  async #bind(client: string, user: User): Promise<string | undefined> {
    const owner = await this.#database.transaction({ mode: 'write' }, async (tx) => {
      const [, found] = await Promise.all([
        bindClients(tx, [{ client, user }], new Present(1)),
        ownerOf(tx, client),
      ]);
      return found;
    });
    if (owner !== undefined && this.#known.size < kClientsRemembered)
      this.#known.set(client, owner);
    return owner;
  }
}

function noSuchImage(): Problem {
  return new Problem('not_found', 'There is no such image.');
}

export function createApp(options: AppOptions): Hono<App> {
  const app = new Hono<App>();
  const clients = new BoundClients(options.database);
  const caller = ({ headers }: IncomingMessage) => options.authenticate(bearer(headers));

  app.onError((error, context) => {
    if (error instanceof Problem) return error.toResponse();
    if (isUnavailable(error)) {
      return new Problem('busy', 'The database cannot be reached for now.').toResponse();
    }
    options.log(`${context.req.method} ${context.req.path} failed.`, error);
    return new Problem('internal', 'The server failed; its log says why.').toResponse();
  });

  app.use('/v1/*', async (context, next) => {
    const { origin, host } = context.env.incoming.headers;
    const cross = origin !== undefined && options.origins.has(origin);
    if (context.req.method === 'OPTIONS' && cross) return preflight(origin);
    if (!originAllowed(origin, host, options.origins)) {
      throw new Problem('forbidden', 'Pages of this origin may not call this server.');
    }
    await next();
    if (cross) {
      context.res.headers.set('access-control-allow-origin', origin);
      context.res.headers.append('vary', 'origin');
    }
    return undefined;
  });

  app.post('/v1/push', async ({ env: { incoming } }) => {
    const user = await caller(incoming);
    const { value: body, text } = await readObject(incoming);
    const client = clientOf(body);
    checkSchemaVersion(body, options.schema);
    const updates = updatesOf(body);
    if (updates.length === 0) {
      await clients.check(client, user);
      return jsonResponse(incoming, JSON.stringify({ time: Date.now(), results: [] }));
    }
    const push = { client, user, epoch: epochOf(body), updates, bytes: text.length };
    return jsonResponse(incoming, JSON.stringify(await options.flusher.push(push)));
  });

  app.post('/v1/pull', async ({ env: { incoming } }) => {
    const user = await caller(incoming);
    const { value: body } = await readObject(incoming);
    const client = clientOf(body);
    checkSchemaVersion(body, options.schema);
    checkPull(body);
    await clients.check(client, user);
    const request = JSON.stringify({ ...body, limit: entryLimit(body.limit) });
    return jsonResponse(incoming, await options.puller.pull(user, request));
  });

  app.on(
    ['GET', 'HEAD'],
    '/v1/snapshot/:realm/:epoch/:revision/:hash',
    async ({ req, env: { incoming } }) => {
      const user = await caller(incoming);
      const { realm, epoch, revision, hash } = req.param();
      if (!user.realms.has(realm)) throw noSuchImage();
      const image = await options.images.find({ realm, epoch, hash, revision: Number(revision) });
      if (image === null) throw noSuchImage();
      return immutableFile(req.raw, image.path, image.bytes, hash);
    },
  );

  app.get('/v1/tables/:table', async ({ req, env: { incoming } }) => {
    const user = await caller(incoming);
    const request = parseTableRequest(req.query('lastUpdateTime'), undefined);
    const answer = await options.tables.read(user, req.param('table'), request);
    return jsonResponse(incoming, JSON.stringify(answer));
  });

  app.post('/v1/tables/:table', async ({ req, env: { incoming } }) => {
    const user = await caller(incoming);
    const { value: body } = await readObject(incoming);
    const request = parseTableRequest(body.lastUpdateTime, body.exclude);
    const answer = await options.tables.read(user, req.param('table'), request);
    return jsonResponse(incoming, JSON.stringify(answer));
  });

  app.get('/v1/time', ({ env: { incoming } }) =>
    jsonResponse(incoming, JSON.stringify({ time: Date.now() })),
  );

  app.get('/v1/health', async ({ env: { incoming } }) => {
    await options.database.query('select 1');
    return jsonResponse(incoming, JSON.stringify({ status: 'ok', schema: options.schema.version }));
  });

  app.all('*', ({ req }) => {
    const files = req.path.startsWith('/v1/') ? null : options.files;
    if (files === null) throw new Problem('not_found', 'There is nothing here.');
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      throw new Problem('method_not_allowed', 'Files can only be read.');
    }
    return files.serve(req.raw);
  });
  return app;
}

function entryLimit(limit: unknown): number {
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1) {
    return limits.entriesPerPull;
  }
  return Math.min(limit, limits.entriesPerPull);
}

function preflight(origin: string): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers': 'authorization, content-type, content-encoding, range',
      'access-control-max-age': '600',
      vary: 'origin',
    },
  });
}
