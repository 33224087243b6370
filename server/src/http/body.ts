// Request bodies and answers: bounded while they arrive and while they are inflated, gzip both ways.

import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGunzip, gzip } from 'node:zlib';
import { limits } from '../limits.ts';
import { Problem } from './problem.ts';

const gzipAsync = promisify(gzip);
const kGzipFromBytes = 1_000;

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream) {
    size += part.byteLength;
    if (size > limits.bodyBytes) {
      throw new Problem('too_large', `A body may have ${limits.bodyBytes} bytes.`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** The text of a request's body. */
export async function readText(request: Request): Promise<string> {
  const declared = Number(request.headers.get('content-length') ?? '0');
  if (declared > limits.bodyBytes) {
    throw new Problem('too_large', `A body may have ${limits.bodyBytes} bytes.`);
  }
  if (request.body === null) return '';
  const encoding = (request.headers.get('content-encoding') ?? 'identity').trim().toLowerCase();
  const source = Readable.fromWeb(request.body as never);
  let bytes: Buffer;
  if (encoding === 'gzip') {
    const inflate = createGunzip();
    source.on('error', (error) => inflate.destroy(error));
    try {
      bytes = await collect(source.pipe(inflate));
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw new Problem('bad_request', 'The body is not what its content-encoding says.');
    } finally {
      source.destroy();
    }
  } else if (encoding === 'identity') {
    bytes = await collect(source);
  } else {
    throw new Problem('unsupported_encoding', 'A body is sent as it is, or by gzip.');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Problem('bad_json', `The body is not UTF-8: ${(error as Error).message}`);
  }
}

/** A request's body as a JSON object. */
export async function readObject(request: Request): Promise<{ text: string; value: JsonObject }> {
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
export async function jsonResponse(request: Request, text: string): Promise<Response> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    vary: 'accept-encoding',
  };
  const bytes = Buffer.from(text);
  if (bytes.length < kGzipFromBytes || !acceptsGzip(request)) {
    return new Response(bytes, { headers });
  }
  const packed = await gzipAsync(bytes, { level: constants.Z_BEST_SPEED });
  headers['content-encoding'] = 'gzip';
  return new Response(packed, { headers });
}

export function acceptsGzip(request: Request): boolean {
  const accepted = request.headers.get('accept-encoding') ?? '';
  return accepted.split(',').some((part) => {
    const [name = '', ...params] = part.trim().toLowerCase().split(';');
    const refused = params.some((param) => /^\s*q=0(\.0*)?\s*$/.test(param));
    return (name.trim() === 'gzip' || name.trim() === '*') && !refused;
  });
}
