// Where requests come in: at a port of the server's own, or through a server of Node in which this one is mounted.

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { getRequestListener } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { type ConnectionLimits, connectionsOf } from '../cost/connections.ts';
import { refuseUpgrade } from '../wire/origins.ts';
import { explainListen } from './explain-listen.ts';

export type NodeHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void;

/** Takes the upgrades that it knows, and returns false for others. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

type Fetch = Parameters<typeof getRequestListener>[0];

export interface Front {
  /** 0: it has no port. */
  readonly port: number;
  /** Accepts no more requests, and finishes those in progress within a limit. */
  stop(): Promise<void>;
}

export interface PortOptions {
  readonly port: number;
  readonly host: string;
  readonly bounds: ConnectionLimits;
  readonly trustProxy: boolean;
  readonly log: (message: string, error: unknown) => void;
}

/** Listens at a port. */
export async function openPort(
  listener: RequestListener,
  upgrade: Upgrade,
  { port, host, bounds, trustProxy, log }: PortOptions,
): Promise<Front> {
  const server = createServer(
    { headersTimeout: limits.headersTimeoutMs, requestTimeout: limits.requestTimeoutMs },
    listener,
  );
  const open = connectionsOf(server, bounds, trustProxy);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!upgrade(request, socket, head)) refuseUpgrade(socket, '404 Not Found');
  });
  await new Promise<void>((done, failed) => {
    server.once('error', (error) => failed(explainListen(error, port, host)));
    server.listen({ port, host, backlog: limits.backlog }, () => {
      server.removeAllListeners('error');
      // The machine has no room for a connection; only that connection is affected.
      server.on('error', (error) => log('A connection could not be accepted.', error));
      done();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeIdleConnections();
      // Upgraded connections, too, whose other side may have disappeared silently.
      const deadline = setTimeout(() => destroyAll(open), limits.stopWithinMs);
      // Closes connections when they become idle; keep-alive would keep them open.
      const idle = setInterval(() => server.closeIdleConnections(), 50);
      await closed;
      clearTimeout(deadline);
      clearInterval(idle);
    },
  };
}

function destroyAll(sockets: Iterable<Socket | ServerResponse>): void {
  for (const socket of sockets) socket.destroy();
}

/** Answers a request by itself. */
export function answerProblem(response: ServerResponse, problem: Problem): void {
  const { status, headers, body } = problem.parts();
  response.writeHead(status, headers).end(body);
}

/**
 * Leaves out the answer where the server in which this one is mounted has answered by itself: some do so to HEAD, or
 * when they do not wait.
 */
export function unlessAnswered(fetch: Fetch): Fetch {
  return async (request, env) => {
    const answer = (await fetch(request, env)) as Response;
    if (!env.outgoing.headersSent) return answer;
    await answer.body?.cancel();
    return RESPONSE_ALREADY_SENT;
  };
}

/** The handler for a server that has other handlers beside it. */
export class Mount implements Front {
  readonly port = 0;
  readonly #listener: RequestListener;
  readonly #underWay = new Set<ServerResponse>();
  #stopped: (() => void) | null = null;

  constructor(listener: RequestListener) {
    this.#listener = listener;
  }

  readonly handler: NodeHandler = (request, response, next) => {
    // Express takes the path that a handler is mounted at out of `url`.
    const { originalUrl } = request as { originalUrl?: unknown };
    const url = typeof originalUrl === 'string' ? originalUrl : request.url;
    if (next !== undefined && !url?.startsWith('/v1/')) {
      next();
      return;
    }
    if (this.#stopped !== null) {
      answerProblem(response, new Problem('stopping', 'The server is shutting down.'));
      return;
    }
    request.url = url;
    this.#underWay.add(response);
    response.once('close', () => {
      this.#underWay.delete(response);
      if (this.#underWay.size === 0) this.#stopped?.();
    });
    this.#listener(request, response);
  };

  async stop(): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
    if (this.#underWay.size === 0) return;
    const deadline = setTimeout(() => destroyAll(this.#underWay), limits.stopWithinMs);
    await done;
    clearTimeout(deadline);
  }
}
