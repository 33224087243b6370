/**
 * The wasm module of browsers: one for windows, their Workers and service workers, and for export and import
 * (wasm/CMakeLists.txt). A window compiles it once, and hands it to its Worker.
 */
import glue, { type MainModule } from '../../build/wasm/skerry.js';
import { type CoreModule, compile, instantiate, type WasmSource } from './module.ts';

/** @internal */
export type BrowserModule = CoreModule<MainModule>;

/** One instance a program, however many databases are opened: concurrent calls share the promise. */
const loading = new Map<string, Promise<BrowserModule>>();

export function loadModule(source: WasmSource, url: URL): Promise<BrowserModule> {
  const key = url.href;
  const known = loading.get(key);
  if (known) return known;
  const promise = instantiate(glue, compile(source, url));
  loading.set(key, promise);
  const forget = () => loading.delete(key);
  // What failed (a network that was down) may be tried again; what traps later is of no use to a database that is opened then.
  promise.then((module) => module.onBroken(forget), forget);
  return promise;
}

/** An instance that shares no memory with another. */
export function ownModule(
  compiled: WebAssembly.Module | Promise<WebAssembly.Module>,
): Promise<BrowserModule> {
  return instantiate(glue, compiled);
}
