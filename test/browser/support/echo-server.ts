// The server of the network contracts (test/contract/network.ts lists its paths), which serves a page as well, so that
// the page's requests are of its own origin.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createListener } from 'node:net';
import { extname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { WebSocketServer } from 'ws';

const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' };

export interface EchoServer {
  readonly base: string;
  /** The address of a closed port. */
  readonly nowhere: string;
  close(): Promise<void>;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const whole = Buffer.concat(chunks);
  return (request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole).toString();
}

async function answer(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, path = '', argument] = new URL(request.url ?? '/', 'http://localhost').pathname.split(
    '/',
  );
  const body = await readBody(request);
  if (path === 'hang') return;
  if (path === 'big') response.end(new Uint8Array(100_000));
  else if (path === 'status') response.writeHead(Number(argument)).end(`status ${argument}`);
  else if (path === 'echo') {
    const test = request.headers['x-test'];
    response.end(JSON.stringify({ method: request.method, test, body }));
  } else {
    const file = path || 'index.html';
    const content = await readFile(join(folder, file));
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'text/plain' }).end(content);
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const listener = createListener();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise<void>((resolve) => listener.close(() => resolve()));
  return port;
}

export async function startEchoServer(folder: string): Promise<EchoServer> {
  const server = createServer((request, response) => {
    answer(folder, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end(String(error));
    });
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      const text = data.toString();
      if (text === 'close') socket.close(4001);
      else socket.send(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    nowhere: `http://127.0.0.1:${await freePort()}`,
    close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
