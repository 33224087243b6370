// One caller of the wire in the benchmark of fairness: requests by hand over kept connections, updates in their chain.

import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

/** Callers who are in nobody's office come from here, on systems where all of 127.0.0.0/8 is the machine itself. */
export const elsewhere = process.platform === 'linux' ? '127.0.0.66' : '127.0.0.1';

export function uuid7() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 15);
  bytes[8] = 0x80 | (bytes[8] & 63);
  const hex = bytes.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

export const note = (realm, set, id = uuid7()) => ({
  op: 'create',
  table: 'notes',
  id,
  realm,
  set,
});

export class Caller {
  #agent;
  #url;
  #token;
  #chain = new Map();
  cursors = {};
  client = randomUUID();

  /** `token`: null if there is none. */
  constructor(url, token, { from = '127.0.0.1', connections = 2 } = {}) {
    this.#url = new URL(url);
    this.#token = token;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, localAddress: from });
  }

  /** Resolves with status and text, whatever they are; 0 where there was no answer. */
  send(method, path, body, { signal, headers: more } = {}) {
    const { hostname: host, port } = this.#url;
    return new Promise((resolve) => {
      const headers = { ...more };
      if (this.#token !== null) headers.authorization ??= `Bearer ${this.#token}`;
      if (body !== undefined) {
        headers['content-type'] = 'application/json';
        headers['content-length'] = Buffer.byteLength(body);
      }
      const failed = (error) => resolve({ status: 0, text: String(error) });
      const options = { host, port, path, method, headers, agent: this.#agent, signal };
      const sent = request(options, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () =>
          resolve({ status: response.statusCode, text: Buffer.concat(parts).toString() }),
        );
        response.on('error', failed);
      });
      sent.on('error', failed);
      sent.end(body);
    });
  }

  /** The next update with these ops; a chain goes on only where `track` says so. */
  update(
    ops,
    { realms = [...new Set(ops.map(({ realm }) => realm))], actions = 1, track = true } = {},
  ) {
    const id = uuid7();
    const at = Date.now();
    const after = Object.fromEntries(
      realms.map((realm) => [realm, this.#chain.get(realm) ?? null]),
    );
    if (track) {
      for (const realm of realms) this.#chain.set(realm, { seq: (after[realm]?.seq ?? 0) + 1, id });
    }
    return {
      ...{ id, after, at },
      base: Object.fromEntries(realms.map((realm) => [realm, 0])),
      actions: Array.from({ length: actions }, () => ({ id: uuid7(), name: 'a', arg: null, at })),
      ops: ops.map((op) => ({ ...op, by: [0] })),
    };
  }

  push(updates, options) {
    const body = { client: this.client, schema: 1, epoch: 1, seen: {}, updates };
    return this.send('POST', '/v1/push', JSON.stringify(body), options);
  }

  pull(more, options) {
    const { client, cursors } = this;
    const body = {
      client,
      schema: 1,
      cursors,
      have: [],
      seen: {},
      scopes: [],
      limit: 10_000,
      ...more,
    };
    return this.send('POST', '/v1/pull', JSON.stringify(body), options);
  }

  /** Another token of the same user. */
  signIn(token) {
    this.#token = token;
  }

  close() {
    this.#agent.destroy();
  }
}
