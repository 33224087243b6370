// What stands before an application in production: its files (or its own server) and the sync server at one origin, and a
// Content-Security-Policy on every answer. Browsers report to it what they refused.
import { createReadStream, statSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { extname, join, normalize } from 'node:path';

/** Nothing for Skerry but `'wasm-unsafe-eval'`. */
export const policy =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; report-uri /csp-report";

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.map': 'application/json',
  '.wasm': 'application/wasm',
};

export interface Application {
  /** A folder of files, or the address of a server of its own. */
  readonly files?: string;
  readonly server?: string;
  /** Of the sync server, which answers below /v1. */
  readonly sync: string;
  /** Null: the application sends one itself. */
  readonly policy?: string | null;
  /** Of files, besides. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class Front {
  readonly #server: http.Server;
  readonly #sockets = new Set<net.Socket>();
  readonly #application: Application;
  /** What browsers have refused, as they report it. */
  readonly violations: string[] = [];
  /** Paths that were asked for in vain. */
  readonly missing: string[] = [];

  private constructor(application: Application) {
    this.#application = application;
    this.#server = http.createServer((request, response) => this.#answer(request, response));
    this.#server.on('upgrade', (request, socket, head) =>
      this.#upgrade(request, socket as net.Socket, head),
    );
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(application: Application): Promise<Front> {
    const front = new Front(application);
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
    return front;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #target(path: string): URL | undefined {
    const { server, sync } = this.#application;
    const address = path.startsWith('/v1/') ? sync : server;
    return address ? new URL(address) : undefined;
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const path = new URL(request.url ?? '/', 'http://front').pathname;
    const header = this.#application.policy === undefined ? policy : this.#application.policy;
    if (header) response.setHeader('content-security-policy', header);
    const target = this.#target(path);
    if (path === '/csp-report') this.#takeReport(request, response);
    // Browsers ask for it by themselves.
    else if (path === '/favicon.ico') response.writeHead(204).end();
    else if (target) this.#forward(request, response, target);
    else this.#sendFile(path, response);
  }

  #takeReport(request: http.IncomingMessage, response: http.ServerResponse): void {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      this.violations.push(text);
      response.writeHead(204).end();
    });
  }

  #sendFile(path: string, response: http.ServerResponse): void {
    const file = join(
      this.#application.files ?? '',
      normalize(path === '/' ? '/index.html' : path),
    );
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
      this.missing.push(path);
      response.writeHead(404).end();
      return;
    }
    const type = types[extname(file)] ?? 'text/plain';
    response.writeHead(200, { 'content-type': type, ...this.#application.headers });
    createReadStream(file).pipe(response);
  }

  #forward(request: http.IncomingMessage, response: http.ServerResponse, target: URL): void {
    const { url: path = '/', method = 'GET' } = request;
    const { hostname, port } = target;
    const headers = headersFor(request, target);
    // No connection is used again: the server may be about to close it.
    const options = { hostname, port, path, method, headers, agent: false };
    const outgoing = http.request(options, (answer) => {
      if (answer.statusCode === 404) this.missing.push(path);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => request.socket.destroy());
    request.pipe(outgoing);
  }

  #upgrade(request: http.IncomingMessage, socket: net.Socket, head: Buffer): void {
    const target = this.#target(request.url ?? '/');
    if (!target) {
      socket.destroy();
      return;
    }
    const upstream = net.connect(Number(target.port), target.hostname, () => {
      const lines = Object.entries(headersFor(request, target)).map(
        ([name, value]) => `${name}: ${String(value)}`,
      );
      upstream.write(`GET ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    socket.once('close', () => upstream.destroy());
  }
}

/** The page's origin is the front's; a server checks it against its own address. */
function headersFor(request: http.IncomingMessage, target: URL): http.OutgoingHttpHeaders {
  const { origin } = request.headers;
  return { ...request.headers, host: target.host, ...(origin ? { origin: target.origin } : {}) };
}
