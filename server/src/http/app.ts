// The routes. Each handler first authenticates, then checks the request, then uses the database. Every failure
// becomes problem+json here, and nowhere else.

import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import { etag } from 'hono/etag';
import { type Authenticate, bearer } from '../auth/auth.ts';
import type { HostRule } from '../auth/loopback.ts';
import type { Authority } from '../authority/authority.ts';
import { AuthorityGone } from '../authority/authority-link.ts';
import type { JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { Metrics } from '../base/metrics.ts';
import { Problem } from '../base/problem.ts';
import type { Comparer } from '../compare/compare.ts';
import { addressOf } from '../cost/address.ts';
import type { Callers } from '../cost/callers.ts';
import { pushCost } from '../cost/push-cost.ts';
import { whileWanted } from '../cost/signal.ts';
import type { DatabaseClock } from '../db/clock.ts';
import { type Database, DiskFull, isStorable, isUnavailable, type Within } from '../db/database.ts';
import { imageNameOf } from '../image/folder-store.ts';
import type { Images } from '../image/images.ts';
import type { TakeBack } from '../offers/take-back.ts';
import { type PlainTables, parseTableRequest } from '../plain/plain-table.ts';
import type { Puller } from '../pull/pull.ts';
import { BoundClients } from '../push/bound-clients.ts';
import type { Flusher } from '../push/flusher.ts';
import type { Grants } from '../rights/grants.ts';
import { type Caller, readRights } from '../rights/rights.ts';
import type { SchemaDescription } from '../sql/description.ts';
import { parseHistory, readHistory } from '../stream/history.ts';
import { readSnapshot, snapshotNameOf } from '../stream/snapshot-rows.ts';
import { diffOf } from '../wire/diffs.ts';
import { offersOf } from '../wire/offers.ts';
import { originAllowed } from '../wire/origins.ts';
import { pullOf } from '../wire/pulls.ts';
import {
  checkSchemaVersion,
  clientOf,
  epochOf,
  followsOf,
  isOlder,
  seenOf,
  sentOf,
} from '../wire/requests.ts';
import { updatesOf } from '../wire/updates.ts';
import { declaredBytes, jsonResponse, objectOf, readBody } from './body.ts';
import { immutableFile, kImmutable, staticFiles } from './files.ts';
import { Refusals } from './refusals.ts';

/** What Node's listener passes with a request. */
export interface App {
  Bindings: HttpBindings;
}

export interface AppOptions {
  readonly schema: SchemaDescription;
  readonly database: Database;
  readonly clock: DatabaseClock;
  readonly authority: Authority;
  readonly authenticate: Authenticate;
  readonly grants: Grants;
  readonly callers: Callers;
  readonly flusher: Flusher;
  readonly puller: Puller;
  readonly comparer: Comparer;
  readonly takeBack: TakeBack;
  readonly images: Images;
  readonly tables: PlainTables;
  readonly metrics: Metrics;
  /** A folder of files to serve beside the API. */
  readonly files: string | null;
  readonly origins: ReadonlySet<string>;
  readonly hosts: HostRule;
  /** Whether `x-forwarded-for` gives the address of a request. */
  readonly trustProxy: boolean;
  readonly log: (message: string, error: unknown) => void;
}

/** What this server can do beyond the first version of the protocol. */
const kFeatures = ['members', 'streams', 'diff', 'offer'];

function nothingHere(): Problem {
  return new Problem('not_found', 'There is nothing at this path.');
}

const checkPath: MiddlewareHandler = async ({ req }, next) => {
  try {
    decodeURIComponent(req.path);
  } catch (error) {
    throw new Problem('bad_request', `The path is malformed: ${(error as Error).message}`);
  }
  await next();
};

function noSuch(what: 'image' | 'stream' | 'snapshot'): Problem {
  return new Problem('not_found', `There is no such ${what}.`);
}

export function createApp(options: AppOptions): Hono<App> {
  const app = new Hono<App>();
  const { callers } = options;
  const clients = new BoundClients(options.database, limits.rowsRemembered);
  const addressIn = ({ incoming: { socket, headers } }: HttpBindings) =>
    addressOf(socket.remoteAddress, headers['x-forwarded-for'], options.trustProxy);
  const caller = async (env: HttpBindings) => {
    const user = await options.authenticate(bearer(env.incoming.headers), addressIn(env));
    callers.request(user.id);
    return options.grants.caller(user);
  };
  /** A request that needs no token counts for its address. */
  const stranger: MiddlewareHandler<App> = async ({ env }, next) => {
    callers.stranger(addressIn(env));
    await next();
  };
  /** Runs a read when it is the user's turn, as long as the answer is wanted. */
  const reading = <Answer>(
    user: Caller,
    outgoing: HttpBindings['outgoing'],
    work: (within: Within) => Promise<Answer>,
  ) =>
    whileWanted(outgoing, limits.readWithinMs, (wanted) =>
      callers.reading(user.id, wanted.signal, (spent) => work({ ...wanted, spent })),
    );

  const refusals = new Refusals();
  app.onError(async (error, context) => {
    if (error instanceof Problem) {
      if (error.code === 'rate_limited') await refusals.pause();
      return error.toResponse();
    }
    if (isUnavailable(error)) {
      const isFull = error instanceof DiskFull;
      const detail = isFull ? error.message : 'The database is temporarily unavailable.';
      return new Problem('busy', detail).toResponse();
    }
    if (error instanceof AuthorityGone) {
      options.log(`${context.req.method} ${context.req.path} failed.`, error);
      return new Problem('busy', 'The rules are restarting.').toResponse();
    }
    options.log(`${context.req.method} ${context.req.path} failed.`, error);
    return new Problem('internal', 'The server failed; its log has the reason.').toResponse();
  });

  app.use('*', async ({ env: { incoming } }, next) => {
    if (!options.hosts(incoming.headers.host)) {
      throw new Problem(
        'forbidden',
        'A development server answers to loopback names only, such as localhost; --dev-host NAME adds one.',
      );
    }
    await next();
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
      context.res.headers.set('access-control-expose-headers', 'retry-after');
      context.res.headers.append('vary', 'origin');
    }
    return undefined;
  });

  const answer = (user: Caller, incoming: IncomingMessage, text: string) => {
    callers.answered(user.id, text.length);
    return jsonResponse(incoming, text);
  };

  /** Another node may already serve a newer version, and this node has not noticed yet: then it restarts with it. */
  const followNewer = async (error: unknown): Promise<never> => {
    if (error instanceof Problem && error.code === 'server-old')
      await options.database.fence?.(options.database);
    throw error;
  };

  /** Reads a body, within its limits, and answers with the JSON text of `work`. `look` rejects an invalid body. */
  const ofBody = async <Request>(
    env: HttpBindings,
    look: (body: JsonObject, bytes: number) => Request,
    work: (user: Caller, request: Request) => Promise<string>,
  ) => {
    const { incoming, outgoing } = env;
    const user = await caller(env);
    const declared = declaredBytes(incoming);
    callers.declared(user.id, declared);
    return callers.holding(user.id, async (held) => {
      const body = await readBody(incoming, held);
      const bytes = body.byteLength;
      callers.undeclared(user.id, bytes - declared);
      return callers.shares.during(user.id, async () => {
        const request = await whileWanted(outgoing, limits.readWithinMs, ({ signal }) =>
          callers.parsing(user.id, bytes, signal, () => look(objectOf(body), bytes)),
        ).catch(followNewer);
        return answer(user, incoming, await work(user, request));
      });
    });
  };

  const clientOfBody = (body: JsonObject, bytes: number) => {
    const client = clientOf(body);
    callers.ofClient(client, bytes);
    checkSchemaVersion(body, options.schema);
    return client;
  };

  app.post('/v1/push', ({ env }) =>
    ofBody(
      env,
      (body, bytes) => {
        const client = clientOfBody(body, bytes);
        const updates = updatesOf(body);
        const cost = pushCost(updates, bytes);
        const said = {
          seen: seenOf(body, updates),
          follows: followsOf(body),
          sent: sentOf(body, updates),
        };
        const older = isOlder(body, options.schema);
        return { client, epoch: epochOf(body), ...said, older, updates, bytes, cost };
      },
      async (user, push) => {
        if (push.updates.length === 0) {
          await reading(user, env.outgoing, (within) => clients.check(push.client, user, within));
          return JSON.stringify({ time: await options.clock.now(), results: [] });
        }
        const answer = await whileWanted(env.outgoing, null, ({ signal }) =>
          options.flusher.push({ ...push, user, signal }),
        );
        return JSON.stringify(answer);
      },
    ),
  );

  /** A request of a client, which is answered when it is its user's turn. */
  const inTurn = <Asked>(
    path: string,
    look: (body: JsonObject) => Asked,
    work: (
      caller: { user: Caller; client: string },
      asked: Asked,
      within: Within,
    ) => Promise<string>,
  ) =>
    app.post(path, ({ env }) =>
      ofBody(
        env,
        (body, bytes) => ({ client: clientOfBody(body, bytes), asked: look(body) }),
        (user, { client, asked }) =>
          reading(user, env.outgoing, async (within) => {
            await clients.check(client, user, within);
            return work({ user, client }, asked, within);
          }),
      ),
    );

  inTurn(
    '/v1/pull',
    (body) => ({ request: pullOf(body, entryLimit(body.limit)), realmsToken: body.realmsToken }),
    ({ user }, asked, within) => options.puller.pull({ user, ...asked }, within),
  );
  inTurn('/v1/diff', diffOf, ({ user }, asked, within) =>
    options.comparer.compare(user, asked, within),
  );
  inTurn('/v1/offer', offersOf, (by, request, within) =>
    options.takeBack.offer({ ...by, request }, within),
  );

  app.get('/v1/snapshot/:realm/:epoch/:revision/:hash', etag(), async (context) => {
    const user = await caller(context.env);
    const name = imageNameOf(context.req.param());
    if (name === null) throw noSuch('image');
    const rights = await readRights(options.database, user);
    if (!rights.has(name.realm)) throw noSuch('image');
    const image = await options.images.find(name);
    const answer = image && (await immutableFile(context, image.path, name.hash));
    if (answer === null) throw noSuch('image');
    return answer;
  });

  app.get('/v1/streams/:realm/:stream', async ({ req, env }) => {
    const user = await caller(env);
    const request = parseHistory(req.query('before'), req.query('limit'));
    const { realm, stream } = req.param();
    return callers.shares.during(user.id, async () => {
      const text = await reading(user, env.outgoing, (within) =>
        options.database.transaction({ mode: 'snapshot', ...within }, async (tx) => {
          const rights = await readRights(tx, user);
          if (!rights.has(realm) || !isStorable(stream)) throw noSuch('stream');
          return readHistory(tx, realm, stream, request);
        }),
      );
      return answer(user, env.incoming, text);
    });
  });

  app.get('/v1/streams/:realm/:stream/:version/:revision/:hash', async ({ req, env }) => {
    const user = await caller(env);
    const name = snapshotNameOf(req.param());
    return callers.shares.during(user.id, async () => {
      const text = await reading(user, env.outgoing, (within) =>
        options.database.transaction({ mode: 'snapshot', ...within }, async (tx) => {
          const rights = await readRights(tx, user);
          if (name === null || !rights.has(name.realm) || !isStorable(name.stream))
            throw noSuch('snapshot');
          return readSnapshot(tx, name);
        }),
      );
      if (text === null) throw noSuch('snapshot');
      callers.answered(user.id, text.length);
      return jsonResponse(env.incoming, text, kImmutable);
    });
  });

  app.get('/v1/tables/:table', async ({ req, env }) => {
    const user = await caller(env);
    const request = parseTableRequest(req.query('lastUpdateTime'), undefined);
    return callers.shares.during(user.id, async () => {
      const text = await reading(user, env.outgoing, (within) =>
        options.tables.read(user, req.param('table'), request, within),
      );
      return answer(user, env.incoming, text);
    });
  });

  app.post('/v1/tables/:table', ({ req, env }) =>
    ofBody(
      env,
      ({ lastUpdateTime, exclude }) => parseTableRequest(lastUpdateTime, exclude),
      (user, request) =>
        reading(user, env.outgoing, (within) =>
          options.tables.read(user, req.param('table'), request, within),
        ),
    ),
  );

  app.get('/v1/time', stranger, async ({ env: { incoming } }) =>
    jsonResponse(incoming, JSON.stringify({ time: await options.clock.now() })),
  );

  app.get('/v1/health', stranger, async ({ env: { incoming } }) => {
    await options.clock.reached();
    return jsonResponse(
      incoming,
      JSON.stringify({
        status: 'ok',
        ...{ schema: options.schema.version, features: kFeatures },
        mended: options.metrics.of('mended_rows'),
      }),
    );
  });

  app.get('/v1/metrics', stranger, () => {
    const headers = {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'cache-control': 'no-store',
    };
    return new Response(options.metrics.text(), { headers });
  });

  app.all('/v1/*', () => {
    throw nothingHere();
  });
  if (options.files !== null) app.get('*', stranger, checkPath, ...staticFiles(options.files));
  app.all('*', ({ req: { method } }) => {
    if (options.files === null || method === 'GET' || method === 'HEAD') throw nothingHere();
    throw new Problem('method_not_allowed', 'Files can only be read.');
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
