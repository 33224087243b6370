/**
 * Loading the wasm module `skerry` and calling its raw exports (docs/internals.md, section 7).
 *
 * Every call writes its input into the area of `sk_buffer` and reads its output at once: memory may move with any call,
 * so no view of it outlives the method that took it. A negative return is thrown as its typed error.
 */
import { DataReader, DataWriter, decodeText } from './data-codec.ts';
import { ClosedError, errorFromCore, SkerryError, UnsupportedError } from './errors.ts';
import { hostFunctions } from './imports.ts';
import type { RowCells } from './row-cells.ts';

/** The raw exports of a module, by their names in wasm/. */
export type RawExports = Readonly<Record<string, (...args: number[]) => number>>;

export type WasmSource = (url: URL) => Promise<Response | Uint8Array>;

export class CoreModule {
  readonly #exports: RawExports;
  readonly #memory: WebAssembly.Memory;
  readonly #writer = new DataWriter();
  #bytes = new Uint8Array(0);
  #broken: SkerryError | null = null;
  readonly #onBroken = new Set<(error: SkerryError) => void>();

  constructor(exports: RawExports, memory: WebAssembly.Memory) {
    // Names are looked up faster in a plain object than in the module's frozen one.
    this.#exports = { ...exports };
    this.#memory = memory;
  }

  /** A raw call without input. Returns its value, never negative. */
  call(name: string, ...args: number[]): number {
    return this.throwing(this.#run(name, ...args));
  }

  /** Every call that may trap goes through here: also the one for a buffer, when there is no memory left. */
  #run(name: string, ...args: number[]): number {
    try {
      return this.#function(name)(...args);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw this.#break(error);
      throw error;
    }
  }

  /** The module trapped: its memory cannot be trusted any more, and every further call is refused. */
  get broken(): boolean {
    return this.#broken !== null;
  }

  /** Calls `listener` at once when the module breaks, before the call that broke it throws. Returns a function that stops it. */
  onBroken(listener: (error: SkerryError) => void): () => void {
    this.#onBroken.add(listener);
    return () => this.#onBroken.delete(listener);
  }

  #break(cause: WebAssembly.RuntimeError): SkerryError {
    const error = new SkerryError('core_failed', `Skerry’s core failed: ${cause.message}.`, {
      cause,
    });
    this.#broken = error;
    // A database that is opened from here on gets a new module.
    for (const [key, module] of loaded) if (module === this) loading.delete(key);
    for (const listener of [...this.#onBroken]) listener(error);
    return error;
  }

  /** A call whose input is encoded data; its length goes last. */
  callWith(name: string, input: unknown, ...args: number[]): number {
    const bytes = this.#writer.encode(input);
    this.#put(bytes);
    return this.call(name, ...args, bytes.length);
  }

  /** A call whose input is bytes as they are; their length goes last. */
  callWithBytes(name: string, bytes: Uint8Array, ...args: number[]): number {
    this.#put(bytes);
    return this.call(name, ...args, bytes.length);
  }

  /** A call whose input is text. Returns a negative value as it is, for callers to whom it is an answer. */
  callWithText(name: string, text: string, ...args: number[]): number {
    const { length } = text;
    let at = this.#run('sk_buffer', length * 3);
    const heap = this.#heap();
    const start = at;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 127) {
        // Rare enough to be written again from the start.
        at =
          start +
          new TextEncoder().encodeInto(text, heap.subarray(start, start + length * 3)).written;
        break;
      }
      heap[at++] = unit;
    }
    return this.#run(name, ...args, at - start);
  }

  /** The output of the last call, decoded. */
  output(): unknown {
    const at = this.#function('sk_out')();
    return new DataReader(this.#heap(), at, at + this.#function('sk_out_len')()).value();
  }

  /** Moves `cells` to the output of the last call. */
  outputOver(cells: RowCells): RowCells {
    return cells.over(this.#heap(), this.#function('sk_out')());
  }

  outputText(): string {
    const at = this.call('sk_out');
    return decodeText(this.#heap().subarray(at, at + this.call('sk_out_len')));
  }

  /** The output, copied. */
  outputBytes(): Uint8Array<ArrayBuffer> {
    const at = this.call('sk_out');
    return this.#heap().slice(at, at + this.call('sk_out_len'));
  }

  /** The output as a stream of u32le, copied. */
  outputWords(): Uint32Array {
    return new Uint32Array(this.outputBytes().buffer);
  }

  /** Copies bytes to an address of the module's. Returns how many. */
  copyIn(bytes: Uint8Array, at: number): number {
    this.#heap().set(bytes, at);
    return bytes.length;
  }

  /** Throws what a negative return value means; returns any other. */
  throwing(result: number): number {
    return result < 0 ? this.#fail(result) : result;
  }

  #put(bytes: Uint8Array): void {
    this.copyIn(bytes, this.#run('sk_buffer', bytes.length));
  }

  #heap(): Uint8Array {
    if (this.#bytes.buffer !== this.#memory.buffer)
      this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }

  #function(name: string): (...args: number[]) => number {
    if (this.#broken)
      throw new ClosedError('closed', 'Skerry’s core has failed: open the database again.', {
        cause: this.#broken,
      });
    const found = this.#exports[name];
    if (!found)
      throw new UnsupportedError(
        'unsupported',
        `The wasm module has no ${name}: is it of this package’s version?`,
      );
    return found;
  }

  #fail(result: number): never {
    throw errorFromCore(-result, this.outputText());
  }
}

/** One module a page, however many databases are opened: concurrent calls share the promise. */
const loading = new Map<string, Promise<CoreModule>>();
const loaded = new Map<string, CoreModule>();

export function loadCore(
  source: WasmSource,
  url: URL = new URL('./skerry.wasm', import.meta.url),
): Promise<CoreModule> {
  const key = url.href;
  let promise = loading.get(key);
  if (!promise) {
    promise = instantiate(source, url);
    loading.set(key, promise);
    // A failure (a network that was down, say) may be over: the next call tries again.
    promise.then(
      (module) => loaded.set(key, module),
      () => loading.delete(key),
    );
  }
  return promise;
}

/** Without Emscripten's glue: the module has no `main`, no files and no imports but those of imports.ts. */
async function instantiate(source: WasmSource, url: URL): Promise<CoreModule> {
  try {
    const env = hostFunctions(() => memory);
    const { exports } = await WebAssembly.instantiate(await compile(source, url), { env });
    const memory = exports['memory'] as WebAssembly.Memory;
    const functions = exports as unknown as RawExports;
    functions['_initialize']?.();
    return new CoreModule(functions, memory);
  } catch (error) {
    throw loadError(error as Error);
  }
}

/** Of a network, a policy or a file of another version: all the same to the caller of `open`. */
export function loadError(cause: Error): SkerryError {
  if (cause instanceof SkerryError) return cause;
  return new UnsupportedError('wasm', `Skerry’s core could not be loaded: ${cause.message}`, {
    cause,
    retryable: true,
  });
}

export async function compile(source: WasmSource, url: URL): Promise<WebAssembly.Module> {
  const answer = await source(url);
  if (answer instanceof Uint8Array) return WebAssembly.compile(answer as BufferSource);
  if (!answer.ok)
    throw new UnsupportedError('wasm', `${url.href} answered ${answer.status}.`, {
      retryable: true,
    });
  // Servers that do not know the type would make streaming fail.
  return answer.headers.get('content-type')?.startsWith('application/wasm')
    ? WebAssembly.compileStreaming(answer)
    : WebAssembly.compile(await answer.arrayBuffer());
}
