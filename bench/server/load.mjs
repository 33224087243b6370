// Clients of the wire that keep a fixed number of requests in flight, and what came of it.

import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

/** Sends requests over kept connections; far cheaper than fetch, so that the machine's cores are the server's. */
export class Http {
  #agent;
  #url;

  constructor(url, connections) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#url = new URL(url);
  }

  post(path, body, token) {
    const { hostname: host, port } = this.#url;
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      };
      const options = { host, port, path, method: 'POST', agent: this.#agent, headers };
      const sent = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => {
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${path}: ${response.statusCode} ${text}`));
        });
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  close() {
    this.#agent.destroy();
  }
}

/** How a Pusher's pushes go over HTTP. */
export function overHttp(http, token) {
  return async (body) =>
    JSON.parse(await http.post('/v1/push', JSON.stringify(body), token)).results;
}

/** A client that pushes one row after another to its realm; `send` takes a push and resolves with its results. */
export class Pusher {
  #send;
  #realm;
  #row;
  #client = randomUUID();
  #link = null;

  /** `row`: the table and the props of what it creates. */
  constructor(send, realm, row = { table: 'cities', set: { name: 'x' } }) {
    this.#send = send;
    this.#realm = realm;
    this.#row = row;
  }

  async push() {
    const id = randomUUID();
    const realm = this.#realm;
    const at = Date.now();
    const update = {
      id,
      after: { [realm]: this.#link },
      base: { [realm]: 0 },
      at,
      actions: [{ id: randomUUID(), name: 'bench', arg: null, at }],
      ops: [{ op: 'create', ...this.#row, id: randomUUID(), realm, by: [0] }],
    };
    const body = { client: this.#client, schema: 1, epoch: 1, seen: {}, updates: [update] };
    const [result] = await this.#send(body);
    if (result.status !== 'applied') throw new Error(`push: ${JSON.stringify(result)}`);
    this.#link = { seq: (this.#link?.seq ?? 0) + 1, id };
  }
}

/** Keeps one piece of work of each worker under way for so long; returns how many were done a second, and how fast. */
export async function measure(workers, ms) {
  const times = [];
  const began = performance.now();
  const end = began + ms;
  await Promise.all(
    workers.map(async (work) => {
      while (performance.now() < end) {
        const from = performance.now();
        await work();
        times.push(performance.now() - from);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { rate: times.length / seconds, p50: at(0.5), p99: at(0.99) };
}
