// A client of the wire with a signed token, which hands on every byte that it sends and receives.

import { SignJWT } from 'jose';
import { type Answer, type Json, WireClient, type WireUpdate } from '../server.ts';

export const kSecret = 'a secret of the test of isolation, long enough';

/** A token that is good for an hour. */
export function tokenOf(user: string, realms: Readonly<Record<string, string>> = {}) {
  return new SignJWT({ realms })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(kSecret));
}

/** An answer, with everything in it that a client can see. */
export interface Seen {
  readonly status: number;
  readonly headers: string;
  readonly text: string;
}

/** What differs from answer to answer, whatever it is about. */
const kVolatile = new Set([
  'date',
  'connection',
  'keep-alive',
  'content-length',
  'transfer-encoding',
]);

export class Caller extends WireClient {
  readonly token: string;
  /** Is called with each update that is made, and with each call. */
  onUpdate: (update: WireUpdate) => void = () => {};
  onSeen: (sent: string, seen: Seen) => void = () => {};

  constructor(url: string, user: string, token: string) {
    super(url, user);
    this.token = token;
  }

  override get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }

  override update(ops: readonly Json[], more: Json = {}): WireUpdate {
    const made = super.update(ops, more);
    this.onUpdate(made);
    return made;
  }

  pushBody(updates: readonly Json[]): Json {
    return { client: this.id, schema: 1, epoch: 1, seen: {}, updates };
  }

  override async send(updates: readonly Json[]): Promise<Answer> {
    return parsed(await this.call('POST', '/v1/push', this.pushBody(updates)));
  }

  override async pull(more: Json = {}): Promise<Answer> {
    return parsed(await this.call('POST', '/v1/pull', this.request(more)));
  }

  async call(method: string, path: string, body?: unknown): Promise<Seen> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await fetch(this.url + path, {
      method,
      headers: { ...this.headers, 'content-type': 'application/json' },
      ...(text === undefined ? {} : { body: text }),
    });
    const headers = [...answer.headers].filter(([name]) => !kVolatile.has(name));
    const seen = {
      status: answer.status,
      headers: JSON.stringify(headers),
      // An image is binary: its texts are found in it as they are.
      text: Buffer.from(await answer.arrayBuffer()).toString('latin1'),
    };
    this.onSeen(`${path} ${text}`, seen);
    return seen;
  }
}

export function parsed({ status, text }: Seen): Answer {
  const body = JSON.parse(Buffer.from(text, 'latin1').toString()) as Json;
  return { status, body, headers: new Headers() };
}
