// Request bodies and answers: bounded while they arrive and while they are inflated, gzip both ways.

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGunzip, gzip } from 'node:zlib';
import { limits } from '../limits.ts';
import { Problem } from './problem.ts';

const gzipAsync = promisify(gzip);
const kGzipFromBytes = 1_000;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A request as Node has it. The web's Request would be made around it for the body alone, at a cost above that of the
 * rest of a push.
 */
export type Incoming = Pick<IncomingMessage, 'headers'> & Readable;

function cutOff(): Problem {
  return new Problem('bad_request', 'The body ended too early.');
}

/** All bytes of a stream. One that is too long is left where it stands; whoever answers ends the connection. */
function collect(stream: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const take = (part: Buffer) => {
      size += part.byteLength;
      parts.push(part);
      if (size <= limits.bodyBytes) return;
      stream.off('data', take).pause();
      reject(new Problem('too_large', `A body may have ${limits.bodyBytes} bytes.`));
    };
    // `close` follows `end` and `error`, too; alone it means that the caller has gone.
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

async function inflated(source: Readable): Promise<Buffer> {
  const inflate = createGunzip();
  source.once('error', (error) => inflate.destroy(error));
  source.once('close', () => {
    if (!source.readableEnded) inflate.destroy();
  });
  try {
    return await collect(source.pipe(inflate));
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('bad_request', 'The body is not what its content-encoding says.');
  } finally {
    source.unpipe(inflate).pause();
    inflate.destroy();
  }
}

/** The text of a request's body. */
export async function readText(request: Incoming): Promise<string> {
  const { headers } = request;
  const declared = Number(headers['content-length'] ?? '0');
  if (declared > limits.bodyBytes) {
    throw new Problem('too_large', `A body may have ${limits.bodyBytes} bytes.`);
  }
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding !== 'gzip' && encoding !== 'identity') {
    throw new Problem('unsupported_encoding', 'A body is sent as it is, or by gzip.');
  }
  // Its `close` may have been while the caller's token was looked at; it will say nothing more.
  if (request.destroyed) throw cutOff();
  const bytes = await (encoding === 'gzip' ? inflated(request) : collect(request));
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new Problem('bad_json', `The body is not UTF-8: ${(error as Error).message}`);
  }
}

/** A request's body as a JSON object. */
export async function readObject(request: Incoming): Promise<{ text: string; value: JsonObject }> {
  const text = await readText(request);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Problem('bad_json', `The body is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(value)) throw new Problem('bad_request', 'The body is not a JSON object.');
  return { text, value };
}

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An answer of JSON text, compressed where that is worth it and the caller reads it. */
export async function jsonResponse(
  { headers: { 'accept-encoding': accepted } }: Pick<IncomingMessage, 'headers'>,
  text: string,
): Promise<Response> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    vary: 'accept-encoding',
  };
  // As a text: Node sends one together with its headers, bytes in a piece of their own.
  if (text.length < kGzipFromBytes || !acceptsGzip(accepted)) {
    return new Response(text, { headers });
  }
  const packed = await gzipAsync(text, { level: constants.Z_BEST_SPEED });
  headers['content-encoding'] = 'gzip';
  return new Response(packed, { headers });
}

/** Whether a caller of this `accept-encoding` reads gzip. */
export function acceptsGzip(accepted: string | null | undefined): boolean {
  if (!accepted) return false;
  return accepted.split(',').some((part) => {
    const [name = '', ...params] = part.trim().toLowerCase().split(';');
    const refused = params.some((param) => /^\s*q=0(\.0*)?\s*$/.test(param));
    return (name.trim() === 'gzip' || name.trim() === '*') && !refused;
  });
}
