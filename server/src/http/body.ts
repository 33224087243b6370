// Request bodies and answers: limited while they arrive and while they are decompressed; gzip in both directions.

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGunzip, gzip } from 'node:zlib';
import { isObject, type JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import type { HeldBytes } from '../cost/bodies.ts';

const gzipAsync = promisify(gzip);
const kGzipFromBytes = 1_000;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A request as Node has it. Wrapping it in a web Request only for the body would cost more than the rest of a push.
 */
export type Incoming = Pick<IncomingMessage, 'headers'> & Readable;

function cutOff(): Problem {
  return new Problem('bad_request', 'The body ended too early.');
}

const kLookEveryMs = 1_000;

/** Measures the rate of a body: one that stalls would hold its bytes as long as its connection lasts. */
class BodyRate {
  readonly #request: Readable;
  readonly #began = performance.now();
  readonly #timer: NodeJS.Timeout;
  #received = 0;
  #tooSlow: ((error: Problem) => void) | null = null;

  constructor(request: Readable) {
    this.#request = request;
    request.on('data', this.#count);
    this.#timer = setInterval(() => this.#look(), kLookEveryMs);
  }

  tooSlow(call: (error: Problem) => void): void {
    this.#tooSlow = call;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#request.off('data', this.#count);
  }

  readonly #count = (part: Buffer) => {
    this.#received += part.byteLength;
  };

  #look(): void {
    const overMs = performance.now() - this.#began - limits.bodyGraceMs;
    if (this.#received >= (overMs / 1000) * limits.bodyBytesPerSecond) return;
    this.#tooSlow?.(new Problem('slow_body', 'The body came too slowly.'));
  }
}

/** All bytes of a stream. A stream that is too long is left unread; the handler ends its connection. */
function collect(stream: Readable, held: HeldBytes, pace: BodyRate): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const stop = (error: unknown) => {
      stream.off('data', take).pause();
      reject(error);
    };
    const take = (part: Buffer) => {
      size += part.byteLength;
      parts.push(part);
      try {
        held.add(part.byteLength);
      } catch (error) {
        stop(error);
        return;
      }
      if (size <= limits.bodyBytes) return;
      stop(new Problem('too_large', `A body may have at most ${limits.bodyBytes} bytes.`));
    };
    pace.tooSlow(stop);
    // `close` also follows `end` and `error`; alone it means that the caller has disconnected.
    const closed = () => reject(cutOff());
    stream.on('data', take);
    stream.once('end', () => {
      stream.off('close', closed);
      resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
    });
    stream.once('error', reject);
    stream.once('close', closed);
  });
}

async function inflated(source: Readable, held: HeldBytes, pace: BodyRate): Promise<Buffer> {
  const inflate = createGunzip();
  source.once('error', (error) => inflate.destroy(error));
  source.once('close', () => {
    if (!source.readableEnded) inflate.destroy();
  });
  try {
    return await collect(source.pipe(inflate), held, pace);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('bad_request', 'The body does not match its content-encoding.');
  } finally {
    source.unpipe(inflate).pause();
    inflate.destroy();
  }
}

/** The declared size of a body; 0 if it is not declared. */
export function declaredBytes({ headers }: Pick<Incoming, 'headers'>): number {
  const declared = Number(headers['content-length'] ?? '0');
  if (declared > limits.bodyBytes) {
    throw new Problem('too_large', `A body may have at most ${limits.bodyBytes} bytes.`);
  }
  return declared;
}

/** A request's body, decompressed. */
export async function readBody(request: Incoming, held: HeldBytes): Promise<Buffer> {
  const { headers } = request;
  if (request.readableEnded) {
    throw new Error(
      'The body of a request was read before: mount the handler before those that read bodies.',
    );
  }
  declaredBytes(request);
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'gzip' && encoding !== 'identity') {
    throw new Problem('unsupported_encoding', 'The only content-encoding of a body is gzip.');
  }
  // `close` may have been emitted while the caller's token was checked; it does not come again.
  if (request.destroyed) throw cutOff();
  const pace = new BodyRate(request);
  try {
    return await (encoding === 'gzip'
      ? inflated(request, held, pace)
      : collect(request, held, pace));
  } finally {
    pace.stop();
  }
}

/** The JSON object of a request's body. */
export function objectOf(bytes: Buffer): JsonObject {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (error) {
    throw new Problem('bad_json', `The body is not UTF-8: ${(error as Error).message}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Problem('bad_json', `The body is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(value)) throw new Problem('bad_request', 'The body is not a JSON object.');
  return value;
}

/** An answer of JSON text, compressed if that is worthwhile and the caller accepts it. By default it is not cached. */
export async function jsonResponse(
  { headers: { 'accept-encoding': accepted } }: Pick<IncomingMessage, 'headers'>,
  text: string,
  cached = 'no-store',
): Promise<Response> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'cache-control': cached,
    vary: 'accept-encoding',
  };
  // As text: Node sends text together with its headers, but bytes in a packet of their own.
  if (text.length < kGzipFromBytes || !acceptsGzip(accepted)) {
    return new Response(text, { headers });
  }
  const packed = await gzipAsync(text, { level: constants.Z_BEST_SPEED });
  headers['content-encoding'] = 'gzip';
  return new Response(packed, { headers });
}

/** Whether a caller with this `accept-encoding` accepts gzip. */
export function acceptsGzip(accepted: string | null | undefined): boolean {
  if (!accepted) return false;
  return accepted.split(',').some((part) => {
    const [name = '', ...params] = part.trim().toLowerCase().split(';');
    const refused = params.some((param) => /^\s*q=0(\.0*)?\s*$/.test(param));
    return (name.trim() === 'gzip' || name.trim() === '*') && !refused;
  });
}
