// Clients of the wire that know rows of a history which a restored server has lost, and offer them (POST /v1/offer).

import { expect } from 'vitest';
import type { RestorableServer } from './restorable.ts';
import { type Json, post, WireClient } from './server.ts';

interface Row extends Json {
  readonly modifiedAt: number;
}

/** A client that knows rows of the history that will be lost. */
export class Device {
  readonly wire: WireClient;
  readonly rows = new Map<string, Row>();
  readonly #server: RestorableServer;
  constructor(server: RestorableServer, user = 'ada') {
    this.#server = server;
    this.wire = new WireClient(server.url, user);
    // It has another port after each start.
    Object.defineProperty(this.wire, 'url', { get: () => server.url });
    this.wire.scopes = [{ table: 'cities', where: ['true'], filled: false }];
  }

  async sync(): Promise<void> {
    for (;;) {
      const { status, body } = await this.wire.pull();
      expect(status).toBe(200);
      for (const change of body.changes as Json[]) {
        const key = `${String(change.realm)} ${String(change.id)}`;
        if (change.change === 'delete') this.rows.delete(key);
        else {
          const set = { ...this.rows.get(key), ...(change.set as Json) };
          this.rows.set(key, { ...set, modifiedAt: change.modifiedAt as number });
        }
      }
      this.wire.cursors = { ...this.wire.cursors, ...(body.cursors as Record<string, string>) };
      if (body.more !== true) return;
    }
  }

  set(id: string, set: Json, op = 'update', of = 'public'): Promise<Json> {
    return this.wire.push([{ op, table: 'cities', id, realm: of, set }]);
  }

  /** Offers these rows as it knows them. */
  offer(ids: readonly string[], { of = 'public', ...more }: Json & { of?: string } = {}) {
    const known = ids.map((id) => this.rows.get(`${of} ${id}`) as Row);
    const body = {
      ...{ client: this.wire.id, schema: 1, realm: of, cursor: this.wire.cursors[of] ?? '0@0' },
      ops: known.map(({ modifiedAt: _, ...set }, i) => ({
        ...{ op: 'offer', table: 'cities', id: ids[i], realm: of },
        set: { country: null, population: null, ...set },
      })),
      times: known.map(({ modifiedAt }) => modifiedAt),
      ...more,
    };
    return post(this.#server.url, '/v1/offer', body, this.wire.headers);
  }
}

/** What another client, who knows nothing, is sent. */
export async function storedOn(
  server: RestorableServer,
  of = 'public',
  user = 'bo',
): Promise<Record<string, Json>> {
  const device = new Device(server, user);
  await device.sync();
  const rows = [...device.rows].filter(([key]) => key.startsWith(`${of} `));
  return Object.fromEntries(
    rows.map(([key, { modifiedAt: _, ...row }]) => [key.slice(of.length + 1), row]),
  );
}

/** How many rows were taken, and what was refused. */
export const taken = ({ body }: { body: Json }) => [
  body.taken,
  (body.refused as Json[]).map(({ op, code }) => `${String(op)} ${String(code)}`),
];
