/** Where a sync worker's wasm module is. */
import { type CoreModule, loadCore, type WasmSource } from '../core/module.ts';

/** `url`: where the application keeps `skerry.wasm`; this one is beside it, under the same query. */
export function workerWasmUrl(url: URL | undefined): URL {
  // Written out, because bundlers look for exactly this expression.
  if (!url) return new URL('./skerry-sync.wasm', import.meta.url);
  const beside = new URL('skerry-sync.wasm', url);
  beside.search = url.search;
  return beside;
}

export function loadWorkerModule(source: WasmSource, url: URL | undefined): Promise<CoreModule> {
  return loadCore(source, workerWasmUrl(url));
}
