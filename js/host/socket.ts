/**
 * Socket: text messages both ways. Guarantee: `onOpen` comes at most once and before any `onMessage`; `onClose` exactly
 * once unless `close` was called first, also when the connection never came to be or took longer than the time limit;
 * nothing is called after `close`. Messages are triggers: losing one costs time, never data.
 */
export interface Socket {
  /** Ignored while it is not open. */
  send(text: string): void;
  close(): void;
}

export interface SocketHandlers {
  onOpen(): void;
  onMessage(text: string): void;
  onClose(code: number): void;
}

export interface SocketHost {
  open(url: string, handlers: SocketHandlers): Socket;
}

/** Longer messages are ignored: the server sends short hints only. */
const maxMessageLength = 64 * 1024;
const connectLimitMs = 20_000;

export const webSockets: SocketHost = {
  open(url, handlers) {
    let ended = false;
    let limit: ReturnType<typeof setTimeout> | undefined;
    let socket: WebSocket | null = null;
    const end = (code: number | null) => {
      if (ended) return;
      ended = true;
      clearTimeout(limit);
      socket?.close();
      if (code !== null) handlers.onClose(code);
    };
    try {
      socket = new WebSocket(url);
    } catch {
      // A malformed or forbidden address. It is reported like any other failure, after `open` has returned.
      queueMicrotask(() => end(1006));
      return { send: () => {}, close: () => end(null) };
    }
    limit = setTimeout(() => end(1006), connectLimitMs);
    socket.onopen = () => {
      clearTimeout(limit);
      if (!ended) handlers.onOpen();
    };
    socket.onmessage = (event) => {
      const text: unknown = event.data;
      if (!ended && typeof text === 'string' && text.length <= maxMessageLength)
        handlers.onMessage(text);
    };
    socket.onclose = (event) => end(event.code);
    return {
      send(text) {
        if (socket?.readyState === WebSocket.OPEN) socket.send(text);
      },
      close: () => end(null),
    };
  },
};
