// Attacks by connections: bodies that stand still, and sockets.

import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { elsewhere, uuid7 } from '../caller.mjs';
import { pause } from './tools.mjs';

/** An open socket that is thrown away when it ends, by either side. */
function opened(socket, alive) {
  alive.add(socket);
  const gone = () => alive.delete(socket);
  socket.on('error', gone);
  socket.on('close', gone);
}

export const connections = {
  '150 bodies of 7.9 MB that stand still': {
    workers: 150,
    async step({ url, token }, state) {
      state.alive ??= new Set();
      if (state.alive.size > 0) {
        await pause(100);
        return null;
      }
      const socket = connect({
        port: Number(new URL(url).port),
        host: '127.0.0.1',
        localAddress: elsewhere,
      });
      opened(socket, state.alive);
      socket.write(
        `POST /v1/push HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 8000000\r\n\r\n`,
      );
      socket.write(Buffer.alloc(7_900_000, 0x20));
      return new Promise((resolve) => {
        const answered = (data) =>
          resolve({ status: Number(/^HTTP\/1.1 (\d+)/.exec(String(data))?.[1] ?? 0) });
        socket.once('data', answered);
        setTimeout(() => resolve(null), 500);
      });
    },
  },
  '2,000 sockets that say nothing': {
    workers: 20,
    async step({ url }, state) {
      state.alive ??= new Set();
      if (state.alive.size >= 100) {
        await pause(20);
        return null;
      }
      const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/poke`, {
        localAddress: elsewhere,
      });
      opened(socket, state.alive);
      return new Promise((resolve) => {
        socket.once('open', () => resolve({ status: 101 }));
        socket.once('unexpected-response', (_, { statusCode }) => resolve({ status: statusCode }));
        socket.once('error', () => resolve({ status: 0 }));
      });
    },
  },
  'hellos of 900 scopes without end': {
    workers: 10,
    step({ url, token }) {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/poke`, {
        localAddress: elsewhere,
      });
      const scopes = Array.from({ length: 900 }, () => ({
        table: 'notes',
        where: ['=', 'title', 'x'],
      }));
      const hello = JSON.stringify({ type: 'hello', token, client: uuid7(), schema: 1, scopes });
      socket.on('open', () => socket.send(hello));
      socket.on('message', () => socket.send(hello));
      return new Promise((resolve) => {
        socket.on('close', (code) => resolve({ status: code }));
        socket.on('error', () => resolve({ status: 0 }));
        setTimeout(() => socket.terminate(), 1_000);
      });
    },
  },
};
