// Files over HTTP: the immutable images, with ranges so that an interrupted download goes on where it stopped, and the
// static files of a page, compressed once and revalidated by the browser.

import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Problem } from '../base/problem.ts';
import { acceptsGzip } from './body.ts';

const gzipAsync = promisify(gzip);

interface Range {
  readonly first: number;
  readonly last: number;
}

/** The one range that a request asks for; null for all of it, and for forms that may be ignored (RFC 9110). */
export function parseRange(header: string | null, size: number): Range | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return null;
  if (match[1] === '') {
    const length = Number(match[2]);
    if (length === 0 || size === 0) return 'unsatisfiable';
    return { first: Math.max(0, size - length), last: size - 1 };
  }
  const first = Number(match[1]);
  const last = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (first >= size) return 'unsatisfiable';
  return first > last ? null : { first, last };
}

function stream(path: string, range: Range): ReadableStream {
  const { first: start, last: end } = range;
  return Readable.toWeb(createReadStream(path, { start, end })) as ReadableStream;
}

/** An immutable file, whole or in part. */
export function immutableFile(request: Request, path: string, size: number, tag: string): Response {
  const etag = `"${tag}"`;
  const headers: Record<string, string> = {
    'content-type': 'application/octet-stream',
    'cache-control': 'private, immutable, max-age=31536000',
    'accept-ranges': 'bytes',
    etag,
  };
  if (request.headers.get('if-none-match') === etag) {
    return new Response(null, { status: 304, headers });
  }
  const condition = request.headers.get('if-range');
  const asked = condition === null || condition === etag ? request.headers.get('range') : null;
  const range = parseRange(asked, size);
  if (range === 'unsatisfiable') {
    headers['content-range'] = `bytes */${size}`;
    return new Response(null, { status: 416, headers });
  }
  const { first, last } = range ?? { first: 0, last: size - 1 };
  headers['content-length'] = String(last - first + 1);
  if (range !== null) headers['content-range'] = `bytes ${first}-${last}/${size}`;
  const body = request.method === 'HEAD' ? null : stream(path, { first, last });
  return new Response(body, { status: range === null ? 200 : 206, headers });
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};
const packable = new Set([
  '.html',
  '.js',
  '.mjs',
  '.css',
  '.json',
  '.map',
  '.wasm',
  '.svg',
  '.txt',
]);

/** A host as pages name it, with nothing in it that would go on in a policy. */
const kHost = /^[\w.-]+(:\d+)?$|^\[[\da-fA-F:.]+\](:\d+)?$/;

/** `host`: the server's as the page names it: its socket may be connected to, and no other. */
function policy(host: string | null): string {
  const named = host !== null && kHost.test(host);
  return kPolicy.replace(kSockets, named ? ` ws://${host} wss://${host}` : '');
}

const kSockets = ' <sockets>';
const kPolicy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  `connect-src 'self'${kSockets}`,
  "worker-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface Cached {
  readonly tag: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly packed: Uint8Array<ArrayBuffer> | null;
}

const kCachedFiles = 200;
const kCachedFileBytes = 16 << 20;

/** Serves a folder; files are kept in memory while they do not change. */
export class StaticFiles {
  readonly #folder: string;
  readonly #cache = new Map<string, Cached>();

  constructor(folder: string) {
    this.#folder = normalize(folder);
  }

  async serve(request: Request): Promise<Response> {
    const path = this.#path(new URL(request.url).pathname);
    const file = path === null ? null : await this.#load(path);
    if (path === null || file === null) throw new Problem('not_found', 'There is no such file.');
    const gzipped = file.packed !== null && acceptsGzip(request.headers.get('accept-encoding'));
    // The two forms are two representations, and so have two tags.
    const etag = `"${file.tag}${gzipped ? '-gzip' : ''}"`;
    const headers: Record<string, string> = {
      'content-type': types[extname(path)] ?? 'application/octet-stream',
      'cache-control': 'no-cache',
      'content-security-policy': policy(request.headers.get('host')),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      vary: 'accept-encoding',
      etag,
    };
    if (request.headers.get('if-none-match') === etag) {
      return new Response(null, { status: 304, headers });
    }
    if (gzipped) headers['content-encoding'] = 'gzip';
    const body = gzipped ? file.packed : file.plain;
    return new Response(request.method === 'HEAD' ? null : body, { headers });
  }

  #path(pathname: string): string | null {
    let name: string;
    try {
      name = decodeURIComponent(pathname);
    } catch (error) {
      throw new Problem('bad_request', `The path is malformed: ${(error as Error).message}`);
    }
    if (name.includes('\0')) return null;
    const path = normalize(join(this.#folder, name.endsWith('/') ? `${name}index.html` : name));
    return path.startsWith(this.#folder + sep) ? path : null;
  }

  async #load(path: string): Promise<Cached | null> {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
      throw error;
    });
    if (found === null || !found.isFile() || found.size > kCachedFileBytes) return null;
    const tag = `${found.size.toString(36)}-${Math.round(found.mtimeMs).toString(36)}`;
    const cached = this.#cache.get(path);
    if (cached?.tag === tag) return cached;
    const plain = new Uint8Array(await readFile(path));
    const packed = packable.has(extname(path)) ? new Uint8Array(await gzipAsync(plain)) : null;
    const file = { tag, plain, packed };
    const oldest = this.#cache.keys().next();
    if (this.#cache.size >= kCachedFiles && !oldest.done) this.#cache.delete(oldest.value);
    this.#cache.set(path, file);
    return file;
  }
}
