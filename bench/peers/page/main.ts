// The page of `npm run bench -- peers`: bench/peers/repetition.mjs calls these through `globalThis.bench`. It knows no
// system; the address names the one whose adapter is loaded.
import { calibrate } from '../../page/measure.ts';
import { adapter, loadAdapter } from './adapter.ts';
import { COUNTRY, cities } from './data.ts';
import { acknowledge, found, prepare } from './kills.ts';
import { cross, observe } from './windows.ts';
import { live, reads, top, writes } from './workloads.ts';

interface Measured {
  readonly bytes: number;
}
declare global {
  interface Performance {
    measureUserAgentSpecificMemory(): Promise<Measured>;
  }
}

/** From the adapter's script being there to the first answer. */
async function start() {
  const asked = performance.now();
  await loadAdapter();
  const loaded = performance.now();
  await adapter.open();
  const opened = performance.now();
  const rows = await adapter.count(COUNTRY);
  const answered = performance.now();
  return { rows, loadMs: loaded - asked, openMs: opened - loaded, ms: answered - loaded };
}

async function bulk() {
  const rows = await cities();
  const begun = performance.now();
  await adapter.bulk(rows);
  const durable = performance.now();
  const count = await adapter.count(COUNTRY);
  return { ms: durable - begun, queryMs: performance.now() - durable, rows: count };
}

/** What the page's own memory is said to be, workers and wasm included. */
const memory = async () => (await performance.measureUserAgentSpecificMemory()).bytes;

globalThis.bench = {
  calibrate,
  start,
  bulk,
  memory,
  top,
  reads,
  writes,
  live,
  observe,
  cross,
  prepare,
  acknowledge,
  found,
};
