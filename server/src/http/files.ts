// Files over HTTP: the immutable images, with ranges so that an interrupted download can continue, and the static
// files of a page, compressed, and revalidated by the browser. Hono reads them, finds their types and ranges, and
// rejects names outside of the folder.

import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Context, MiddlewareHandler } from 'hono';
import { etag } from 'hono/etag';
import { compressedOnce } from './compressed.ts';

/** For what never changes, and belongs to who may read it. */
export const kImmutable = 'private, immutable, max-age=31536000';

/**
 * Whether a `range` is answered by a part: a single range of the version that `if-range` names. Other ranges are
 * ignored (RFC 9110); Hono would answer them.
 */
export function isPartial(
  range: string | undefined,
  condition: string | undefined,
  tag: string,
): boolean {
  const isOneOfBytes = /^bytes=(\d+-\d*|-\d+)$/.test(range?.trim() ?? '');
  return isOneOfBytes && (condition === undefined || condition === tag);
}

function ignoreRange({ req }: Context): void {
  if (req.header('range') === undefined) return;
  const headers = new Headers(req.raw.headers);
  headers.delete('range');
  req.raw = new Request(req.raw, { headers });
}

/** Answers with a file that never changes, or a part of it; null if it does not exist. Used behind `etag()`. */
export async function immutableFile(
  context: Context,
  path: string,
  hash: string,
): Promise<Response | null> {
  const { req } = context;
  const tag = `"${hash}"`;
  if (!isPartial(req.header('range'), req.header('if-range'), tag)) ignoreRange(context);
  context.header('cache-control', kImmutable);
  context.header('accept-ranges', 'bytes');
  context.header('etag', tag);
  return (await serveStatic({ path })(context, async () => {})) ?? null;
}

/** A host as pages name it, without characters that could extend a policy. */
const kHost = /^[\w.-]+(:\d+)?$|^\[[\da-fA-F:.]+\](:\d+)?$/;

/** `host` is the server's, as the page names it: pages may connect to its socket, and to no other. */
function policy(host: string | undefined, importMaps: string): string {
  const named = host !== undefined && kHost.test(host);
  const sockets = named ? ` ws://${host} wss://${host}` : '';
  return kPolicy.replace(kSockets, sockets).replace(kImportMaps, importMaps);
}

const kSockets = ' <sockets>';
const kImportMaps = ' <import maps>';
const kPolicy = [
  "default-src 'self'",
  `script-src 'self' 'wasm-unsafe-eval'${kImportMaps}`,
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  `connect-src 'self'${kSockets}`,
  "worker-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Names that begin with a dot are private, except `.well-known`. */
const kHidden = /\/\.(?!well-known\/)/;

/** Larger pages are not searched for an import map. */
const kPageBytes = 256 << 10;
/** A script of this kind names modules, and runs nothing. There is no other way to have one than inline. */
const kImportMap = /<script type="?importmap"?>([\s\S]*?)<\/script>/gi;

/** The hashes of a page's import maps, as its policy has to allow them. */
function importMapsOf(path: string, bytes: number): string {
  if (!/\.html?$/i.test(path) || bytes > kPageBytes) return '';
  const maps = [...readFileSync(path, 'utf8').matchAll(kImportMap)];
  const hashes = maps.map(([, map = '']) => createHash('sha256').update(map).digest('base64'));
  return hashes.map((hash) => ` 'sha256-${hash}'`).join('');
}

function describeFile(path: string, context: Context): void {
  const { size, mtimeMs } = statSync(path);
  // Two versions within one second differ, too; `last-modified` could not distinguish them.
  context.header('etag', `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`);
  context.header('cache-control', 'no-cache');
  const allowed = policy(context.req.header('host'), importMapsOf(path, size));
  context.header('content-security-policy', allowed);
  context.header('x-content-type-options', 'nosniff');
  context.header('referrer-policy', 'same-origin');
  context.header('vary', 'accept-encoding');
}

/** Serves the files of a folder; a missing file is left to the next handler. */
export function staticFiles(
  folder: string,
): [MiddlewareHandler, MiddlewareHandler, MiddlewareHandler] {
  const serve = serveStatic({ root: folder, onFound: describeFile });
  return [
    compressedOnce(),
    etag(),
    async (context, next) => {
      if (kHidden.test(context.req.path)) return next();
      ignoreRange(context);
      return serve(context, next);
    },
  ];
}
