// The messages of /v1/poke but pokes themselves, as they are on the wire (docs/protocol.md).

import { isRealmName } from '../auth/user.ts';
import { isObject } from '../base/json.ts';
import type { Hello, Invitations, Ping, Pong, Ready } from '../base/wire-types.ts';

/** Why a socket is closed, with its close code. */
export class Refused extends Error {
  readonly closeCode: number;
  constructor(closeCode: number, reason: string) {
    super(reason);
    this.closeCode = closeCode;
  }
}

/** A hello of which the token and the client were looked at, and nothing else. */
type Greeting = Pick<Hello, 'token' | 'client'> & Record<'scopes' | 'streams' | 'schema', unknown>;

const kPing: Ping['type'] = 'ping';
const kHello: Hello['type'] = 'hello';

/** What follows a `ready`: pokes, and a `pong` for each `ping`. */
export const kReady = JSON.stringify({ type: 'ready', features: ['ping'] } satisfies Ready);
export const kPong = JSON.stringify({ type: 'pong' } satisfies Pong);

/** The invitations of the user have changed: a pull brings them. */
export const kInvitations = JSON.stringify({ type: 'invitations' } satisfies Invitations);

/** The longest message that may be a ping. */
const kPingBytes = 64;

export function isPing(data: Buffer, binary: boolean): boolean {
  if (binary || data.length > kPingBytes) return false;
  try {
    const message: unknown = JSON.parse(String(data));
    return isObject(message) && message.type === kPing;
  } catch {
    // It is refused like any other message that is no hello.
    return false;
  }
}

export function parseHello(data: Buffer, binary: boolean): Greeting {
  let message: unknown;
  try {
    message = binary ? null : JSON.parse(String(data));
  } catch (error) {
    throw new Refused(4400, `not JSON: ${(error as Error).message}`.slice(0, 100));
  }
  if (!isObject(message) || message.type !== kHello || !isRealmName(message.client)) {
    throw new Refused(4400, 'a hello was expected');
  }
  const { token, client, scopes = [], streams, schema } = message;
  return { token: typeof token === 'string' ? token : null, client, scopes, streams, schema };
}
