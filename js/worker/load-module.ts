/** Where a sync worker's wasm module is. */
import glue from '../../build/wasm/skerry-sync.js';
import { loadCore, type WasmSource } from '../core/module.ts';
import type { WorkerModule } from '../core/worker-core.ts';

/** `url`: where the application keeps `skerry.wasm`; this one is beside it, under the same query. */
export function workerWasmUrl(url: URL | undefined): URL {
  // Written out, because bundlers look for exactly this expression.
  if (!url) return new URL('./skerry-sync.wasm', import.meta.url);
  const beside = new URL('skerry-sync.wasm', url);
  beside.search = url.search;
  return beside;
}

export function loadWorkerModule(source: WasmSource, url: URL | undefined): Promise<WorkerModule> {
  return loadCore(glue, source, workerWasmUrl(url));
}
