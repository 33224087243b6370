// A proxy between browsers and the server, at an address of its own that stays the same while the server behind it stops
// and restarts. Tests set its faults: refuse connections (no network), cut a request before it reaches the server, cut
// the answer after the server has committed, stop in the middle of an answer, answer with HTML as a captive portal
// does, with nonsense, or without end, or hold requests back.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { patience } from '../../support/patience.ts';

export type Fault =
  | 'none'
  | 'refuse'
  | 'cut-before'
  | 'cut-after'
  | 'stall'
  | 'html'
  | 'unauthorized'
  | 'gibberish'
  | 'wrong'
  | 'endless'
  | 'drip';

/** Bodies that no server of ours gives. */
const kNonsense: Partial<Record<Fault, Buffer | string>> = {
  gibberish: Buffer.from([0x7b, 0xff, 0x00, 0xfe, 0x22, 0x5b, 0x7d]),
  wrong: '{"time":"noon","cursors":[],"results":{"length":3},"changes":7,"code":"constructor"}',
};

/** Instead of the server's. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Applies to each request of `path`. The request is forwarded when `hold` resolves. */
export interface Rule {
  readonly path: RegExp;
  readonly fault?: Fault;
  /** In place of the server's answer; may depend on the request's body. */
  readonly answer?: Answer | ((body: Buffer) => Answer);
  /** What becomes of the text of the server's own answer. */
  readonly rewrite?: (text: string) => string;
  /** Replaces the request's token. */
  readonly token?: string;
  readonly hold?: Promise<unknown>;
  /** How many requests it is for; unlimited where left out. */
  times?: number;
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Of the server's own answer: so many bytes on the wire, headers aside. */
  readonly bytes?: number;
}

/** All that a message holds, or null when its connection ended before it did. */
async function whole(message: http.IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of message) chunks.push(chunk as Buffer);
  } catch {
    return null;
  }
  return Buffer.concat(chunks);
}

export class FaultProxy {
  readonly #server: http.Server;
  readonly #sockets = new Set<net.Socket>();
  readonly #waiters = new Set<(seen: Seen) => void>();
  readonly #arrivals = new Set<(path: string) => void>();
  readonly #connectTo: string | null;
  #target: URL;
  #rules: Rule[] = [];
  /** Every request that was answered, in order. */
  readonly seen: Seen[] = [];
  /** True: connections are dropped at once, and open ones are cut: no network at all, the socket's included. */
  #offline = false;
  #isBlackHole = false;
  #refusesSockets = false;
  readonly #closes = new Set<() => void>();
  readonly #silences = new Set<() => void>();

  private constructor(target: string, connectTo: string | null) {
    this.#target = new URL(target);
    this.#connectTo = connectTo;
    this.#server = http.createServer((request, response) => void this.#handle(request, response));
    this.#server.on('upgrade', (request, socket, head) =>
      this.#upgrade(request, socket as net.Socket, head),
    );
    this.#server.on('connection', (socket) => {
      if (this.#offline) socket.destroy();
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** `connectTo`: a socket that pages may open besides the server's. */
  static async start(target: string, connectTo: string | null = null): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, connectTo);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Sets the new address of a restarted server. */
  retarget(target: string): void {
    this.#target = new URL(target);
  }

  setOffline(offline: boolean): void {
    this.#offline = offline;
    if (offline) for (const socket of this.#sockets) socket.destroy();
  }

  /** Of the WebSockets that are open now nothing passes any more, and nothing closes them. Later ones work. */
  silenceSockets(): void {
    for (const silence of this.#silences) silence();
    this.#silences.clear();
  }

  /** Of every connection, also of later ones, nothing passes. */
  setBlackHole(isBlackHole: boolean): void {
    this.#isBlackHole = isBlackHole;
    if (isBlackHole) this.silenceSockets();
  }

  /** WebSockets are closed, and no other is opened; requests pass. */
  refuseSockets(refuse: boolean): void {
    this.#refusesSockets = refuse;
    if (refuse) for (const close of this.#closes) close();
  }

  /** WebSockets that were opened. */
  upgrades = 0;

  rules(...rules: Rule[]): void {
    this.#rules = rules;
  }

  /** Resolves when a request that matches has been answered (or cut) from now on. */
  next(path: RegExp, limitMs = 30_000): Promise<Seen> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(hear);
        reject(new Error(`no request for ${path} within ${limitMs} ms`));
      }, patience(limitMs));
      const hear = (seen: Seen) => {
        if (!path.test(seen.path)) return;
        clearTimeout(timer);
        this.#waiters.delete(hear);
        resolve(seen);
      };
      this.#waiters.add(hear);
    });
  }

  /** Resolves when a request that matches has arrived and is held back. */
  held(path: RegExp, limitMs = 30_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#arrivals.delete(hear);
        reject(new Error(`no request for ${path} was held within ${limitMs} ms`));
      }, patience(limitMs));
      const hear = (arrived: string) => {
        if (!path.test(arrived)) return;
        clearTimeout(timer);
        this.#arrivals.delete(hear);
        resolve();
      };
      this.#arrivals.add(hear);
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #rule(path: string): Rule | undefined {
    const rule = this.#rules.find(
      (candidate) => candidate.path.test(path) && candidate.times !== 0,
    );
    if (rule?.times !== undefined) rule.times -= 1;
    return rule;
  }

  #report(seen: Seen): void {
    this.seen.push(seen);
    for (const hear of [...this.#waiters]) hear(seen);
  }

  async #handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const method = request.method ?? 'GET';
    const rule = this.#rule(path);
    const body = await whole(request);
    if (this.#isBlackHole) return;
    if (!body) {
      // Its sender has gone in the middle of it.
      this.#report({ method, path, status: 0 });
      return;
    }
    if (rule?.hold) {
      for (const hear of [...this.#arrivals]) hear(path);
      await rule.hold;
    }
    const fault = rule?.fault ?? 'none';
    if (fault === 'refuse' || fault === 'cut-before') {
      this.#report({ method, path, status: 0 });
      request.socket.destroy();
      return;
    }
    if (fault === 'html') {
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<!doctype html><title>Log in to the hotel</title>');
      this.#report({ method, path, status: 200 });
      return;
    }
    if (rule?.answer) {
      const { answer } = rule;
      const { status, type, body: text } = typeof answer === 'function' ? answer(body) : answer;
      response.writeHead(status, { 'content-type': type }).end(text);
      this.#report({ method, path, status });
      return;
    }
    const nonsense = kNonsense[fault];
    if (nonsense) {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(nonsense, () => this.#report({ method, path, status: 200 }));
      return;
    }
    if (fault === 'endless' || fault === 'drip') {
      this.#pour(response, fault === 'drip' ? 1 : 1 << 20);
      this.#report({ method, path, status: 200 });
      return;
    }
    if (fault === 'unauthorized') {
      response
        .writeHead(401, { 'content-type': 'application/problem+json' })
        .end('{"code":"unauthenticated","detail":"the token has expired"}');
      this.#report({ method, path, status: 401 });
      return;
    }
    if (rule?.token) request.headers.authorization = `Bearer ${rule.token}`;
    this.#forward(request, body, response, rule);
  }

  /** An endless answer, in pieces of so many bytes, until the client hangs up. */
  #pour(response: http.ServerResponse, bytes: number): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    const piece = Buffer.alloc(bytes, ' ');
    const timer = setInterval(() => response.write(piece), 20);
    response.on('close', () => clearInterval(timer));
  }

  #forward(
    request: http.IncomingMessage,
    body: Buffer,
    response: http.ServerResponse,
    rule: Rule | undefined,
  ): void {
    const { fault = 'none', rewrite } = rule ?? {};
    const path = request.url ?? '/';
    const method = request.method ?? 'GET';
    const { hostname, port } = this.#target;
    // With the page's own Host and Origin: the server compares them, and names the host in the page's policy.
    const headers = { ...request.headers };
    if (rewrite) delete headers['accept-encoding'];
    // No connection is used again: the server may be about to close it.
    const options = { hostname, port, path, method, headers, agent: false };
    const outgoing = http.request(options, (answer) => {
      if (fault === 'stall') {
        void this.#stall(answer, response, () =>
          this.#report({ method, path, status: answer.statusCode ?? 0 }),
        );
        return;
      }
      if (fault === 'cut-after') {
        answer.resume();
        answer.on('end', () => {
          this.#report({ method, path, status: answer.statusCode ?? 0 });
          request.socket.destroy();
        });
        return;
      }
      if (rewrite) {
        void this.#rewritten(answer, response, rewrite).then(() =>
          this.#report({ method, path, status: answer.statusCode ?? 0 }),
        );
        return;
      }
      response.writeHead(answer.statusCode ?? 502, this.#allowed(answer.headers));
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.pipe(response);
      answer.on('end', () => this.#report({ method, path, status: answer.statusCode ?? 0, bytes }));
    });
    outgoing.on('error', () => {
      this.#report({ method, path, status: 0 });
      request.socket.destroy();
    });
    outgoing.end(body);
  }

  async #rewritten(
    answer: http.IncomingMessage,
    response: http.ServerResponse,
    rewrite: (text: string) => string,
  ): Promise<void> {
    const text = rewrite(String((await whole(answer)) ?? ''));
    const { 'content-length': _, 'transfer-encoding': __, ...headers } = answer.headers;
    response.writeHead(answer.statusCode ?? 502, this.#allowed(headers)).end(text);
  }

  /** With the test's own socket in the page's policy. */
  #allowed(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
    const policy = headers['content-security-policy'];
    if (!this.#connectTo || typeof policy !== 'string') return headers;
    const wider = policy.replace('connect-src ', `connect-src ${this.#connectTo} `);
    return { ...headers, 'content-security-policy': wider };
  }

  /** Sends the first half of an answer, and then nothing: the connection stays open. */
  async #stall(
    answer: http.IncomingMessage,
    response: http.ServerResponse,
    report: () => void,
  ): Promise<void> {
    const body = await whole(answer);
    if (!body) {
      response.destroy();
      report();
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.write(body.subarray(0, body.length >> 1), report);
  }

  #upgrade(request: http.IncomingMessage, socket: net.Socket, head: Buffer): void {
    if (this.#isBlackHole) return;
    if (this.#refusesSockets) {
      socket.destroy();
      return;
    }
    this.upgrades++;
    const upstream = net.connect(Number(this.#target.port), this.#target.hostname, () => {
      const lines = Object.entries(request.headers).map(
        ([name, value]) => `${name}: ${String(value)}`,
      );
      upstream.write(`GET ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    const silence = () => {
      upstream.unpipe(socket).resume();
      socket.unpipe(upstream).resume();
    };
    const close = () => socket.destroy();
    this.#silences.add(silence);
    this.#closes.add(close);
    socket.once('close', () => {
      this.#silences.delete(silence);
      this.#closes.delete(close);
    });
    this.#sockets.add(upstream);
    upstream.once('close', () => this.#sockets.delete(upstream));
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    socket.once('close', () => upstream.destroy());
  }
}
