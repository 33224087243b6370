// Runs contract cases in a window, or in a Worker of its own for each.
import { type Addresses, runContract } from './contracts.ts';

function inWorker(addresses: Addresses, name: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const worker = new Worker('/contracts-worker.js', { type: 'module' });
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = (event: MessageEvent<string | null>) => {
      worker.terminate();
      resolve(event.data);
    };
    worker.postMessage({ addresses, name });
  });
}

const contracts = { inWindow: runContract, inWorker };
export type Contracts = typeof contracts;
Object.assign(globalThis, { contracts });
