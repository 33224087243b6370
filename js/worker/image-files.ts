/**
 * ImageFiles: the owner of one instance of the module `skerry-image` (wasm/image.cc), which writes one image of the
 * client through Emscripten's IDBFS. The module is loaded when the first image is made; an instance is dropped
 * after its job, and its memory with it.
 */
import type { MainModule } from '../../build/wasm/skerry-image.js';
import type { ImagePart } from '../core/core-types.ts';
import { QuotaError, StorageError } from '../core/errors.ts';
import {
  type CoreModule,
  compile,
  type Glue,
  instantiate,
  type WasmSource,
} from '../core/module.ts';

export class ImageFiles {
  readonly #module: CoreModule<MainModule>;
  readonly #tickets: Tickets;

  private constructor(module: CoreModule<MainModule>, tickets: Tickets) {
    this.#module = module;
    this.#tickets = tickets;
  }

  /** `place`: the path of the mount, the name of the image in it, and the number of its draft. */
  static async begin(
    source: WasmSource,
    schema: unknown,
    place: { readonly mount: string; readonly name: string; readonly number: number },
  ): Promise<ImageFiles> {
    const tickets = new Tickets();
    // By its address: a bundler that saw an import would split the worker, which not all can (Vite before 8). What it
    // sees is a file to be copied. The build puts in the comments that make it leave `import` alone.
    const { default: glue } = await import(new URL('./skerry-image.js', import.meta.url).href);
    const url = new URL('./skerry-image.wasm', import.meta.url);
    const onSync = (ticket: number, problem: string | null) => tickets.end(ticket, problem);
    const module = await instantiate(glue as Glue<MainModule>, compile(source, url), { onSync });
    module.callWith('_sk_image_new', { schema, ...place });
    return new ImageFiles(module, tickets);
  }

  /** A part of the old image joins the rows. */
  load(pieces: readonly Uint8Array[]): void {
    this.#module.withBytes(pieces, (pointer, length) =>
      this.#module.call('_sk_image_load', pointer, length),
    );
  }

  /** The body of a record is applied to the rows. */
  apply(body: Uint8Array): void {
    this.#module.callWithBytes('_sk_image_apply', body);
  }

  dropRealm(realm: string): void {
    this.#module.throwing(this.#module.callWithText('_sk_image_drop', realm));
  }

  /** The rows become a part. */
  encode(file: string, n: number, cursors: unknown): ImagePart {
    this.#module.callWith('_sk_image_encode', { file, n, cursors });
    return this.#module.output() as ImagePart;
  }

  /** Bytes become a part as they are. */
  store(file: string, bytes: Uint8Array): ImagePart {
    this.#module.withBytes([bytes], (pointer, length) => {
      this.#module.throwing(this.#module.callWithText('_sk_image_store', file, pointer, length));
    });
    return this.#module.output() as ImagePart;
  }

  /** Writes everything to IndexedDB, in the place of what the mount had, forgets it, reads it back, and compares. */
  async commit(parts: readonly ImagePart[]): Promise<void> {
    await this.#tickets.wait((ticket) => this.#module.call('_sk_image_write', ticket));
    await this.#tickets.wait((ticket) => this.#module.call('_sk_image_remount', ticket));
    for (const { file, bytes, checksum } of parts) {
      this.#module.callWith('_sk_image_check', { file, bytes });
      if (this.#module.outputText() === checksum) continue;
      throw new StorageError('image', `Part ${file} of the image came back from storage changed.`);
    }
  }

  close(): void {
    this.#module.call('_sk_image_close');
  }
}

/** What a later draft has written stays; this one is not needed any more (docs/design.md, "Images"). */
export class OvertakenError extends Error {}

/** Calls of IDBFS that are under way: it answers by number. */
class Tickets {
  readonly #open = new Map<number, { resolve(): void; reject(error: Error): void }>();
  #serial = 0;

  wait(begin: (ticket: number) => void): Promise<void> {
    const ticket = ++this.#serial;
    return new Promise((resolve, reject) => {
      this.#open.set(ticket, { resolve, reject });
      begin(ticket);
    });
  }

  end(ticket: number, problem: string | null): void {
    const entry = this.#open.get(ticket);
    this.#open.delete(ticket);
    if (problem === null) entry?.resolve();
    else if (problem === 'overtaken')
      entry?.reject(new OvertakenError('A later image is in the mount.'));
    else if (problem.includes('Quota'))
      entry?.reject(new QuotaError('quota', `There is no room for an image: ${problem}`));
    else entry?.reject(new StorageError('image', `IDBFS: ${problem}`, { retryable: true }));
  }
}
