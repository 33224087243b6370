/**
 * Reads a client's image straight out of IDBFS's database, without its code, and begins before the wasm module is there:
 * a cold start waits for the slower of the two, not for both (docs/window.md, section 2).
 */
import { CorruptImageError } from '../core/errors.ts';
import type { Storage, StorageHost } from './storage.ts';

export interface ImagePart {
  readonly file: string;
  readonly bytes: number;
}
export interface ImagePointer {
  readonly generation: string;
  readonly parts: readonly ImagePart[];
}

/** A part as it lies in its files, one after the other. */
export type PartFiles = readonly Uint8Array[];

/** Files of an image are at most this long (src/base/limits.h). */
const fileBytes = 4 << 20;

export class ImageReader {
  readonly #host: StorageHost;
  /** `/skerry/<name>/<user>`. */
  readonly #root: string;
  #early: { generation: string; parts: Promise<PartFiles[]> } | null = null;

  constructor(host: StorageHost, database: string) {
    this.#host = host;
    this.#root = `/${database}`;
  }

  /** Begins to read what the pointer names now; the core asks for the same a little later, or for another. */
  async begin(storage: Storage): Promise<void> {
    let record: unknown = null;
    await storage.transact(
      { stores: ['sync'], mode: 'readonly', reads: [{ store: 'sync', get: 'sync' }] },
      ([value]) => {
        record = value;
        return { type: 'write', writes: [] };
      },
    );
    const pointer = (record as { image?: ImagePointer | null } | null)?.image;
    if (!pointer || pointer.parts.length === 0) return;
    const parts = this.#readParts(pointer);
    // Its failure is told when the core asks for it.
    parts.catch(() => {});
    this.#early = { generation: pointer.generation, parts };
  }

  read(pointer: ImagePointer): Promise<PartFiles[]> {
    const early = this.#early;
    this.#early = null;
    return early?.generation === pointer.generation ? early.parts : this.#readParts(pointer);
  }

  async #readParts(pointer: ImagePointer): Promise<PartFiles[]> {
    const mount = `${this.#root}/${pointer.generation}`;
    const paths = pointer.parts.flatMap(({ file, bytes }) =>
      Array.from(
        { length: Math.max(1, Math.ceil(bytes / fileBytes)) },
        (_, i) => `${mount}/${file}.${i}`,
      ),
    );
    const files = await this.#host.readFiles(mount, paths);
    const found = new Map(paths.map((path, i) => [path, files[i] ?? null]));
    return pointer.parts.map((part) => filesOf(mount, part, found));
  }
}

function filesOf(
  mount: string,
  part: ImagePart,
  found: ReadonlyMap<string, Uint8Array | null>,
): PartFiles {
  const files: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < part.bytes || i === 0; i++) {
    const file = found.get(`${mount}/${part.file}.${i}`);
    if (!file || at + file.length > part.bytes || (file.length === 0 && part.bytes > 0)) {
      throw new CorruptImageError(
        'corrupt',
        `File ${part.file}.${i} of the image is missing or damaged.`,
      );
    }
    files.push(file);
    at += file.length;
  }
  return files;
}
