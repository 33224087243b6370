/**
 * Loading the module of a sync worker: what a window loads, and `skerry-sync.wasm` with what only sync workers run, which
 * takes memory and functions from the first (wasm/CMakeLists.txt). Both are fetched and compiled at the same time.
 */
import { type CoreModule, loadCore, type WasmSource } from '../core/module.ts';

/** `url`: where the application keeps the first; the second is beside it, under the same query. */
export function wasmUrls(url: URL | undefined): [URL, URL] {
  // Written out, because bundlers look for exactly these expressions.
  if (!url)
    return [
      new URL('./skerry.wasm', import.meta.url),
      new URL('./skerry-sync.wasm', import.meta.url),
    ];
  const second = new URL('skerry-sync.wasm', url);
  second.search = url.search;
  return [url, second];
}

export function loadWorkerModule(source: WasmSource, url: URL | undefined): Promise<CoreModule> {
  return loadCore(source, ...wasmUrls(url));
}
