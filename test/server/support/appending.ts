// Appends to streams over the wire, and what pulls say of them.

import { expect } from 'vitest';
import { type Json, uuid7, type WireClient } from './server.ts';

/** Appends each of these arguments, with an action of its own, in one update. */
export function appending(
  client: WireClient,
  realm: string,
  stream: string,
  args: readonly unknown[],
) {
  const ops = args.map(() => ({ op: 'append', stream, realm }));
  const update = client.update(ops);
  const at = Date.now();
  return {
    ...update,
    actions: args.map((arg, i) => ({ id: uuid7(), name: 'said', arg, at: at + i })),
    ops: ops.map((op, i) => ({ ...op, by: [i] })),
  };
}

export async function append(
  client: WireClient,
  realm: string,
  stream: string,
  ...args: unknown[]
): Promise<void> {
  const { body } = await client.send([appending(client, realm, stream, args)]);
  expect((body.results as Json[])[0]).toMatchObject({ status: 'applied' });
}

export const actionsOf = (body: Json) =>
  (body.streams as Json[]).flatMap(({ actions }) => actions as Json[]);
export const argsOf = (body: Json) => actionsOf(body).map(({ arg }) => arg);

export async function pull(
  client: WireClient,
  streams: readonly Json[],
  more: Json = {},
): Promise<Json> {
  const { status, body } = await client.pull({ streams, ...more });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

/** What GET answers below `/v1/streams`. */
export async function history(client: WireClient, realm: string, stream: string, query = '') {
  const path = `/v1/streams/${encodeURIComponent(realm)}/${encodeURIComponent(stream)}${query}`;
  const response = await fetch(client.url + path, { headers: client.headers });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Json,
  };
}
