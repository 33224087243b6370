/**
 * Runs the contract suites against what Node has: the memory hosts, and the real fetch, BroadcastChannel, timers, clock
 * and random. IndexedDB, Web Locks and WebSocket pass the same suites in test/browser.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { describe, test } from 'vitest';
import { broadcastChannels } from '../../js/host/channel.ts';
import { systemClock } from '../../js/host/clock.ts';
import { fetchTransport } from '../../js/host/fetch-transport.ts';
import { ManualTime } from '../../js/host/memory/manual-time.ts';
import { memoryChannels } from '../../js/host/memory/memory-channel.ts';
import { memoryLocks } from '../../js/host/memory/memory-locks.ts';
import { MemoryNetwork } from '../../js/host/memory/memory-network.ts';
import { MemoryStorageHost } from '../../js/host/memory/memory-storage.ts';
import { systemRandom } from '../../js/host/random.ts';
import { systemTimers } from '../../js/host/timers.ts';
import type { ContractCase } from './check.ts';
import {
  channelContract,
  clockContract,
  locksContract,
  randomContract,
  timersContract,
} from './hosts.ts';
import { socketContract, type TransportSetting, transportContract } from './network.ts';
import { storageContract } from './storage.ts';
import { upgradeContract } from './upgrade.ts';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function manual() {
  const time = new ManualTime();
  const pass = async (ms: number) => time.advance(ms);
  return { time, clock: time, timers: time.timers(), pass };
}

function memoryServer(): MemoryNetwork {
  const network = new MemoryNetwork();
  network.respond = ({ method, url, headers, body }) => {
    if (url.host !== 'memory.test') return Promise.reject(new Error('unreachable'));
    const [, path, argument] = url.pathname.split('/');
    if (path === 'hang') return new Promise(() => {});
    if (path === 'big') return { status: 200, body: new Uint8Array(100_000) };
    if (path === 'status') return { status: Number(argument), body: `status ${argument}` };
    const text = new TextDecoder().decode(body ?? new Uint8Array(0));
    return { status: 200, body: JSON.stringify({ method, test: headers['x-test'], body: text }) };
  };
  network.accept = (socket) => {
    if (socket.url.host !== 'memory.test') return false;
    socket.onMessage = (text) => (text === 'close' ? socket.close(4001) : socket.send(text));
    return true;
  };
  return network;
}

function memoryTransport(): TransportSetting {
  const network = memoryServer();
  const transport = {
    // No server listens at the other address: its cable is unplugged.
    request: (request: Parameters<typeof network.request>[0]) => {
      network.online = !request.url.startsWith('http://nowhere.test');
      return network.request(request);
    },
  };
  return { transport, base: 'http://memory.test', nowhere: 'http://nowhere.test', close: () => {} };
}

async function realServer(): Promise<TransportSetting> {
  const server = createServer((request, response) => {
    const [, path, argument] = (request.url ?? '').split('/');
    if (path === 'hang') return;
    if (path === 'big') return void response.end(new Uint8Array(100_000));
    if (path === 'status')
      return void response.writeHead(Number(argument)).end(`status ${argument}`);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const whole = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole;
      const test = request.headers['x-test'];
      response.end(JSON.stringify({ method: request.method, test, body: body.toString() }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    transport: fetchTransport,
    base: `http://127.0.0.1:${port}`,
    nowhere: 'http://127.0.0.1:1',
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const suites: ContractCase[] = [
  ...storageContract('memory storage', () => new MemoryStorageHost()),
  ...upgradeContract('memory storage', () => {
    const profile = new MemoryStorageHost();
    return (options) => {
      const storage = new MemoryStorageHost(options, profile);
      return { storage, accounts: storage };
    };
  }),
  ...channelContract('memory channels', memoryChannels),
  ...channelContract('BroadcastChannel', () => broadcastChannels),
  ...timersContract('manual timers', manual),
  ...timersContract('system timers', () => ({ timers: systemTimers(), pass: sleep })),
  ...clockContract('manual clock', manual),
  ...clockContract('system clock', () => ({ clock: systemClock, pass: sleep })),
  ...randomContract('system random', () => systemRandom),
  ...locksContract('memory locks', memoryLocks),
  ...transportContract('memory transport', memoryTransport),
  ...transportContract('fetch', realServer),
  ...socketContract('memory sockets', () => ({
    sockets: memoryServer(),
    url: 'ws://memory.test/',
    nowhere: 'ws://nowhere.test/',
    close: () => {},
  })),
];

describe('hosts keep their contracts', () => {
  for (const { name, run } of suites) test(name, run);
});
