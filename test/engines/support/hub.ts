// The way into windows that is the same in every engine: each page that is given a hub's port and a name connects to it
// by WebSocket and obeys its messages (test/browser/page/hub.ts). The hub reports at once when a window is gone.
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Commands } from '../../browser/page/hub.ts';
import { patience } from '../../support/patience.ts';

const LIMIT_MS = patience(60_000);
/** A page whose process was killed while it loaded never comes. */
const ARRIVAL_LIMIT_MS = patience(20_000);

interface Call {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

interface Arrival {
  resolve(window: RemoteWindow): void;
  reject(error: Error): void;
}

/** A window's end of the line. */
export class RemoteWindow {
  readonly id: string;
  readonly gone: Promise<void>;
  readonly #socket: WebSocket;
  readonly #calls = new Map<number, Call>();
  #last = 0;

  constructor(id: string, socket: WebSocket) {
    this.id = id;
    this.#socket = socket;
    this.gone = new Promise((resolve) => {
      socket.once('close', () => {
        for (const { reject } of this.#calls.values()) reject(new Gone(id));
        this.#calls.clear();
        resolve();
      });
    });
    socket.on('message', (text) => {
      const { call, value, error } = JSON.parse(String(text)) as {
        call: number;
        value: unknown;
        error?: string;
      };
      const waiting = this.#calls.get(call);
      this.#calls.delete(call);
      if (error === undefined) waiting?.resolve(value);
      else waiting?.reject(new Error(`${id}: ${error}`));
    });
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Does it in the page. Rejects with Gone when the window ends before it has answered. */
  call<K extends keyof Commands>(
    name: K,
    ...args: Parameters<Commands[K]>
  ): Promise<Awaited<ReturnType<Commands[K]>>> {
    if (!this.open) return Promise.reject(new Gone(this.id));
    const call = ++this.#last;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.id}: ${name}: no answer within ${LIMIT_MS} ms`)),
        LIMIT_MS,
      );
      this.#calls.set(call, {
        resolve(value) {
          clearTimeout(timer);
          resolve(value as Awaited<ReturnType<Commands[K]>>);
        },
        reject(error) {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#socket.send(JSON.stringify({ call, name, args }));
    });
  }

  status(): Promise<Awaited<ReturnType<Commands['status']>>> {
    return this.call('status');
  }

  end(): void {
    this.#socket.terminate();
  }
}

export class Gone extends Error {
  constructor(id: string) {
    super(`the window ${id} is gone`);
  }
}

export class Hub {
  readonly #server: WebSocketServer;
  readonly #windows = new Map<string, RemoteWindow>();
  readonly #arrivals = new Map<string, Arrival>();

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on('connection', (socket, request) => {
      const id = new URL(request.url ?? '/', 'http://hub').searchParams.get('window') ?? '';
      const window = new RemoteWindow(id, socket);
      this.#windows.set(id, window);
      this.#arrivals.get(id)?.resolve(window);
      this.#arrivals.delete(id);
    });
  }

  static async start(): Promise<Hub> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await new Promise<void>((resolve) => server.once('listening', resolve));
    return new Hub(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The window of that name, as soon as it has connected. Rejects with Gone if it was killed before. */
  arrival(id: string): Promise<RemoteWindow> {
    const arrival = new Promise<RemoteWindow>((resolve, reject) => {
      const timer = setTimeout(() => this.lost(id), ARRIVAL_LIMIT_MS);
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          settle(value);
        };
      this.#arrivals.set(id, { resolve: settled(resolve), reject: settled(reject) });
    });
    arrival.catch(() => {});
    return arrival;
  }

  /** No window of that name will connect; without a name: no window that has not connected yet. */
  lost(id?: string): void {
    for (const [name, { reject }] of this.#arrivals) {
      if (id !== undefined && name !== id) continue;
      this.#arrivals.delete(name);
      reject(new Gone(name));
    }
  }

  async close(): Promise<void> {
    for (const window of this.#windows.values()) window.end();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
