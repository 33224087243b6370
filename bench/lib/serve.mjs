// A static server. Its headers isolate the page, which gives it clocks of 5 µs instead of 100 µs.

import { readFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import { extname, join, normalize } from 'node:path';

const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};
const kIsolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** Passes a request on to another server, or says that it cannot be reached. */
function forwardTo(target, request, response) {
  const unreachable = () => response.writeHead(503, kIsolation).end();
  if (target === null) return unreachable();
  const { method, headers } = request;
  const onward = httpRequest(new URL(request.url ?? '/', target), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', unreachable);
  request.pipe(onward);
}

/** `api`, if it is given: the address of a server that /v1 is asked of, or null while that cannot be reached. */
export async function serve(folder, api) {
  const server = createServer((request, response) => {
    if (api && request.url?.startsWith('/v1')) return forwardTo(api(), request, response);
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = normalize(pathname === '/' ? '/index.html' : pathname);
    readFile(join(folder, path)).then(
      (content) => {
        const type = kTypes[extname(path)] ?? 'application/octet-stream';
        const headers = { ...kIsolation, 'content-type': type, 'cache-control': 'max-age=3600' };
        response.writeHead(200, headers).end(content);
      },
      () => response.writeHead(404, kIsolation).end(),
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
