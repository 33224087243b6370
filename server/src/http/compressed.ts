// Compresses the files of a page, each version once: compressing at each request would let any caller, without a token,
// keep the processor busy.

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { MiddlewareHandler } from 'hono';
import { COMPRESSIBLE_CONTENT_TYPE_REGEX } from 'hono/compress';
import { limits } from '../base/limits.ts';
import { acceptsGzip } from './body.ts';

const compress = promisify(gzip);

/** Compressed versions by path and tag; the least recently used are forgotten beyond the limit of bytes. */
class Versions {
  readonly #made = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  #bytes = 0;

  /** `read` is called if there is no such version. */
  of(key: string, read: () => Promise<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const known = this.#made.get(key);
    if (known !== undefined) {
      this.#made.delete(key);
      this.#made.set(key, known);
      return known;
    }
    const making = read().then(async (plain) => new Uint8Array(await compress(plain)));
    this.#made.set(key, making);
    making.then(
      ({ byteLength }) => this.#added(byteLength),
      () => this.#made.delete(key),
    );
    return making;
  }

  #added(bytes: number): void {
    this.#bytes += bytes;
    for (const [key, version] of this.#made) {
      if (this.#bytes <= limits.compressedBytesKept) return;
      this.#made.delete(key);
      void version.then(({ byteLength }) => {
        this.#bytes -= byteLength;
      });
    }
  }
}

/** Behind it is what answers with a file, its tag and its length. */
export function compressedOnce(): MiddlewareHandler {
  const versions = new Versions();
  return async (context, next) => {
    await next();
    const { req, res } = context;
    const bytes = Number(res.headers.get('content-length') ?? 0);
    const tag = res.headers.get('etag');
    const isWanted =
      req.method === 'GET' &&
      res.status === 200 &&
      tag !== null &&
      bytes >= limits.compressedBytesLeast &&
      bytes <= limits.compressedBytesMost &&
      COMPRESSIBLE_CONTENT_TYPE_REGEX.test(res.headers.get('content-type') ?? '') &&
      acceptsGzip(req.header('accept-encoding'));
    if (!isWanted) return;
    const isRead = { body: false };
    const body = await versions.of(`${req.path}\n${tag}`, () => {
      isRead.body = true;
      return res.arrayBuffer();
    });
    if (!isRead.body) await res.body?.cancel();
    context.res = new Response(body, res);
    context.res.headers.set('content-encoding', 'gzip');
    context.res.headers.set('content-length', String(body.byteLength));
    // The same file, in another form.
    context.res.headers.set('etag', tag.startsWith('W/') ? tag : `W/${tag}`);
  };
}
