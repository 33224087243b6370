/**
 * Loading the wasm modules of browsers and calling their functions (docs/internals.md, section 7), whose types Emscripten
 * writes beside its glue: raw exports, and what Embind binds.
 *
 * Every call writes its input into the area of `sk_buffer` and reads its output at once: memory may move with any call,
 * so no view of it outlives the method that took it. A negative return is thrown as its typed error.
 */
import { isBytes } from './brand.ts';
import { DataReader, DataWriter, decodeText } from './data-codec.ts';
import { ClosedError, errorFromCore, SkerryError, UnsupportedError, whichFiles } from './errors.ts';
import type { RowCells } from './row-cells.ts';

/** Emscripten's glue makes a module of the members that it receives, and puts its raw exports on it, each behind `_`. */
export type Glue<M> = (members: {
  instantiateWasm(
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): object;
  readonly [member: string]: unknown;
}) => Promise<M>;

type RawCall = (...args: number[]) => number;
type RawName<M> = Extract<keyof M, `_sk_${string}`>;
type RawArgs<M, N extends keyof M> = M[N] extends (...args: infer A extends number[]) => unknown
  ? A
  : never;
type ButLast<A> = A extends [...infer Rest extends number[], number] ? Rest : never;

/** What the buffers of wasm/abi.cc export in every module. */
type Shared = Readonly<
  Record<'_sk_buffer' | '_sk_alloc', (length: number) => number> &
    Record<'_sk_out' | '_sk_out_len', () => number> &
    Record<'_sk_free', (address: number) => void>
>;

export type WasmSource = (url: URL) => Promise<Response | Uint8Array>;

export class CoreModule<M extends Shared = Shared> {
  readonly #module: M;
  readonly #memory: WebAssembly.Memory;
  readonly #writer = new DataWriter();
  #bytes = new Uint8Array(0);
  #broken: SkerryError | null = null;
  readonly #onBroken = new Set<(error: SkerryError) => void>();

  /** `compiled`: of which further instances can be made, in other workers, too. */
  constructor(
    module: M,
    memory: WebAssembly.Memory,
    readonly compiled: WebAssembly.Module,
  ) {
    this.#module = module;
    this.#memory = memory;
  }

  /** A call that Embind binds. Returns its value, never negative. */
  bound(use: (module: M) => number): number {
    let result: number;
    try {
      result = use(this.#whole);
    } catch (error) {
      throw this.#trapped(error);
    }
    return this.throwing(result);
  }

  /** Plain data as bytes, for a call that Embind binds; valid until the next call. */
  encoded(input: unknown): Uint8Array {
    return this.#writer.encode(input);
  }

  /** A raw call without input. Returns its value, never negative. */
  call<N extends RawName<M>>(name: N, ...args: RawArgs<M, N>): number {
    return this.throwing(this.#run(name, ...args));
  }

  /** Every raw call that may trap goes through here: also the one for a buffer, when there is no memory left. */
  #run(name: string, ...args: number[]): number {
    try {
      return this.#function(name)(...args);
    } catch (error) {
      throw this.#trapped(error);
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

  /** What a call has thrown; breaks the module if it trapped. */
  #trapped(cause: unknown): unknown {
    if (!(cause instanceof WebAssembly.RuntimeError)) return cause;
    const error = new SkerryError('core_failed', `Skerry’s core failed: ${cause.message}.`, {
      cause,
    });
    this.#broken = error;
    for (const listener of [...this.#onBroken]) listener(error);
    return error;
  }

  /** A call whose input is encoded data; its length goes last. */
  callWith<N extends RawName<M>>(name: N, input: unknown, ...args: ButLast<RawArgs<M, N>>): number {
    return this.callWithBytes(name, this.#writer.encode(input), ...args);
  }

  /** A call whose input is bytes as they are; their length goes last. */
  callWithBytes<N extends RawName<M>>(
    name: N,
    bytes: Uint8Array,
    ...args: ButLast<RawArgs<M, N>>
  ): number {
    this.#put(bytes);
    return this.throwing(this.#run(name, ...args, bytes.length));
  }

  /** A call whose input is text. Returns a negative value as it is, for callers to whom it is an answer. */
  callWithText<N extends RawName<M>>(
    name: N,
    text: string,
    ...args: ButLast<RawArgs<M, N>>
  ): number {
    const { length } = text;
    let at = this.#run('_sk_buffer', length * 3);
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
    const at = this.#function('_sk_out')();
    return new DataReader(this.#heap(), at, at + this.#function('_sk_out_len')()).value();
  }

  /** Moves `cells` to the output of the last call. */
  outputOver(cells: RowCells): RowCells {
    return cells.over(this.#heap(), this.#function('_sk_out')());
  }

  outputText(): string {
    const at = this.#run('_sk_out');
    return decodeText(this.#heap().subarray(at, at + this.#run('_sk_out_len')));
  }

  /** The output, copied. */
  outputBytes(): Uint8Array<ArrayBuffer> {
    const at = this.#run('_sk_out');
    return this.#heap().slice(at, at + this.#run('_sk_out_len'));
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

  /** Runs `use` with pieces copied one behind the other into memory of the module's own, which is freed afterwards. */
  withBytes(pieces: readonly Uint8Array[], use: (address: number, length: number) => void): void {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const address = this.throwing(this.#run('_sk_alloc', length));
    try {
      let at = address;
      for (const piece of pieces) at += this.copyIn(piece, at);
      use(address, length);
    } finally {
      if (!this.broken) this.#run('_sk_free', address);
    }
  }

  /** Throws what a negative return value means; returns any other. */
  throwing(result: number): number {
    return result < 0 ? this.#fail(result) : result;
  }

  #put(bytes: Uint8Array): void {
    this.copyIn(bytes, this.#run('_sk_buffer', bytes.length));
  }

  #heap(): Uint8Array {
    if (this.#bytes.buffer !== this.#memory.buffer)
      this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }

  get #whole(): M {
    if (this.#broken)
      throw new ClosedError('closed', 'Skerry’s core has failed: open the database again.', {
        cause: this.#broken,
      });
    return this.#module;
  }

  #function(name: string): (...args: number[]) => number {
    const found = (this.#whole as unknown as Readonly<Record<string, RawCall>>)[name];
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

/** `members`: what the module finds on itself. */
export function instantiate<M extends Shared>(
  glue: Glue<M>,
  compiling: WebAssembly.Module | Promise<WebAssembly.Module>,
  members: Readonly<Record<string, unknown>> = {},
): Promise<CoreModule<M>> {
  return new Promise<CoreModule<M>>((resolve, reject) => {
    let memory: WebAssembly.Memory;
    let compiled: WebAssembly.Module;
    const module = glue({
      ...members,
      instantiateWasm(imports, receive) {
        const begin = async () => {
          compiled = await compiling;
          const instance = await WebAssembly.instantiate(compiled, imports);
          memory = instance.exports['memory'] as WebAssembly.Memory;
          receive(instance, compiled);
        };
        // The glue does not hear of a failure, and never ends then.
        begin().catch(reject);
        return {};
      },
    });
    module.then((made) => resolve(new CoreModule(made, memory, compiled))).catch(reject);
  }).catch((error: Error) => {
    throw loadError(error);
  });
}

/** The error of a module that was not loaded because of the network, a policy, or a file of another version. */
export function loadError(cause: Error): SkerryError {
  if (cause instanceof SkerryError) return cause;
  return new UnsupportedError('wasm', `Skerry’s core could not be loaded: ${cause.message}`, {
    cause,
    retryable: true,
  });
}

export async function compile(source: WasmSource, url: URL): Promise<WebAssembly.Module> {
  const answer = await source(url);
  // That of a file is Node's, which is another realm's in a test that runs in jsdom.
  if (isBytes(answer)) return WebAssembly.compile(answer as BufferSource);
  if (!answer.ok)
    throw new UnsupportedError('wasm', `${url.href} answered ${answer.status}. ${whichFiles}`, {
      retryable: true,
    });
  // Servers that do not know the type would make streaming fail.
  return answer.headers.get('content-type')?.startsWith('application/wasm')
    ? WebAssembly.compileStreaming(answer)
    : WebAssembly.compile(await answer.arrayBuffer());
}
