// A socket that receives pokes, and remembers all of them.

import { WebSocket } from 'ws';
import { type Json, uuid7 } from './server.ts';

const open = new Set<WebSocket>();

/** Closes the sockets that the tests of a file have left open. */
export function terminateAll(): void {
  for (const socket of open) socket.terminate();
}

export class Ear {
  readonly socket: WebSocket;
  readonly heard: Json[] = [];
  readonly closed: Promise<number>;
  #wake: (() => void)[] = [];

  constructor(url: string, options: { origin?: string; autoPong?: boolean } = {}) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/v1/poke`, options);
    open.add(this.socket);
    this.socket.on('message', (data) => {
      this.heard.push(JSON.parse(String(data)) as Json);
      for (const wake of this.#wake.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code) => {
        resolve(code);
        for (const wake of this.#wake.splice(0)) wake();
      });
      this.socket.on('error', () => resolve(-1));
    });
  }

  async opened(): Promise<this> {
    await new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
    return this;
  }

  /** Resolves with the first message that fits. */
  async hears(fits: (message: Json) => boolean): Promise<Json> {
    for (;;) {
      const found = this.heard.find(fits);
      if (found !== undefined) return found;
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('closed');
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  pokes(): Json[] {
    return this.heard.filter(({ type }) => type === 'poke');
  }

  hello(message: Json): void {
    this.socket.send(JSON.stringify({ type: 'hello', ...message }));
  }
}

/** A socket at this server, after the hello of that user with scopes over these tables. */
export async function listenAt(
  url: string,
  user: string,
  tables: readonly string[],
  client: string = uuid7(),
): Promise<Ear> {
  const ear = await new Ear(url).opened();
  ear.hello({
    token: `dev:${user}`,
    client,
    scopes: tables.map((table) => ({ table, where: ['true'] })),
  });
  await ear.hears(({ type }) => type === 'ready');
  return ear;
}
