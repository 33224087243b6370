// The contract suites of test/contract against the hosts that only a browser has all of. Node reads the names of the
// cases from this list, window and Worker run them by name; nothing is touched before a case runs.
import { broadcastChannels } from '../../../js/host/channel.ts';
import { systemClock } from '../../../js/host/clock.ts';
import { fetchTransport } from '../../../js/host/fetch-transport.ts';
import { indexedDbStorage } from '../../../js/host/indexeddb.ts';
import { webLocks } from '../../../js/host/locks.ts';
import { systemRandom } from '../../../js/host/random.ts';
import { webSockets } from '../../../js/host/socket.ts';
import { systemTimers } from '../../../js/host/timers.ts';
import type { ContractCase } from '../../contract/check.ts';
import {
  channelContract,
  clockContract,
  locksContract,
  randomContract,
  timersContract,
} from '../../contract/hosts.ts';
import { socketContract, transportContract } from '../../contract/network.ts';
import { storageContract } from '../../contract/storage.ts';

/** Where the cases find a server that echoes, and where nobody listens: `http://…` without a slash at the end. */
export interface Addresses {
  readonly base: string;
  readonly nowhere: string;
}

const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const toSocket = (url: string) => `${url.replace(/^http/, 'ws')}/`;

export function browserContracts({ base, nowhere }: Addresses): ContractCase[] {
  const close = () => {};
  return [
    ...storageContract('IndexedDB', () => indexedDbStorage()),
    ...channelContract('BroadcastChannel', () => broadcastChannels),
    ...timersContract('system timers', () => ({ timers: systemTimers(), pass })),
    ...clockContract('system clock', () => ({ clock: systemClock, pass })),
    ...randomContract('system random', () => systemRandom),
    ...locksContract('Web Locks', () => {
      const locks = webLocks();
      if (!locks) throw new Error('this browser has no Web Locks');
      return locks;
    }),
    ...transportContract('fetch', () => ({ transport: fetchTransport, base, nowhere, close })),
    ...socketContract('WebSocket', () => ({
      sockets: webSockets,
      url: toSocket(base),
      nowhere: toSocket(nowhere),
      close,
    })),
  ];
}

/** Runs one case; resolves with what went wrong, or null. */
export async function runContract(addresses: Addresses, name: string): Promise<string | null> {
  const found = browserContracts(addresses).find((contract) => contract.name === name);
  if (!found) return `there is no case ${name}`;
  try {
    await found.run();
    return null;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? String(error)) : String(error);
  }
}
