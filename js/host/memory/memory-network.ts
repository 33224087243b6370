/** A network of one server, which is a function: transport and sockets for tests. */
import { LimitError, NetworkError } from '../../core/errors.ts';
import type { SocketHandlers, SocketHost } from '../socket.ts';
import type { Transport, TransportRequest, TransportResponse } from '../transport.ts';

export interface MemoryRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
}

export interface MemoryResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** The server's end of a socket. */
export interface ServerSocket {
  readonly url: URL;
  send(text: string): void;
  close(code: number): void;
  onMessage: (text: string) => void;
  onClose: () => void;
}

export class MemoryNetwork implements Transport, SocketHost {
  /** False: the cable is out. */
  online = true;
  respond: (request: MemoryRequest) => MemoryResponse | Promise<MemoryResponse> = () => ({
    status: 404,
  });
  /** Returns false to refuse the connection. */
  accept: (socket: ServerSocket) => boolean = () => false;
  /** Every request that reached the server. */
  readonly requests: MemoryRequest[] = [];

  async request(request: TransportRequest): Promise<TransportResponse> {
    await Promise.resolve();
    if (!this.online || request.signal?.aborted) throw unreachableServer();
    const { body = null } = request;
    const seen: MemoryRequest = {
      method: request.method,
      url: new URL(request.url),
      headers: request.headers ?? {},
      body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    };
    this.requests.push(seen);
    const response = await this.#withLimits(request, Promise.resolve(this.respond(seen)));
    if (!this.online) throw unreachableServer();
    const bytes =
      typeof response.body === 'string' ? new TextEncoder().encode(response.body) : response.body;
    const whole = bytes ?? new Uint8Array(0);
    if (whole.length > request.maxBytes) {
      throw new LimitError('too_large', `The answer is longer than ${request.maxBytes} bytes.`);
    }
    request.onProgress?.(whole.length, whole.length);
    return { status: response.status, headers: response.headers ?? {}, body: whole };
  }

  #withLimits(request: TransportRequest, answer: Promise<MemoryResponse>): Promise<MemoryResponse> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        reject(
          new NetworkError('timeout', `No answer within ${request.timeoutMs} ms.`, {
            retryable: true,
          }),
        );
      }, request.timeoutMs);
      request.signal?.addEventListener('abort', () => reject(unreachableServer()));
      answer.then(resolve, reject).finally(() => clearTimeout(limit));
    });
  }

  open(url: string, handlers: SocketHandlers) {
    let ended = false;
    const server: ServerSocket = {
      url: new URL(url),
      send: (text) => {
        queueMicrotask(() => {
          if (!ended) handlers.onMessage(text);
        });
      },
      close: (code) => {
        queueMicrotask(() => {
          if (ended) return;
          ended = true;
          handlers.onClose(code);
        });
      },
      onMessage: () => {},
      onClose: () => {},
    };
    let connected = false;
    queueMicrotask(() => {
      if (ended) return;
      connected = this.online && this.accept(server);
      if (connected) handlers.onOpen();
      else {
        ended = true;
        handlers.onClose(1006);
      }
    });
    return {
      send: (text: string) => {
        if (connected && !ended) server.onMessage(text);
      },
      close: () => {
        if (ended) return;
        ended = true;
        if (connected) server.onClose();
      },
    };
  }
}

function unreachableServer(): NetworkError {
  return new NetworkError('network', 'The server could not be reached.', { retryable: true });
}
