/**
 * Reads a client's image directly from IDBFS's database, without its code, and begins before the wasm module is there:
 * a cold start waits for the slower of the two, not for both (docs/window.md, section 2).
 */

import type { ImagePart } from '../core/core-types.ts';
import { CorruptImageError } from '../core/errors.ts';
import { imageFileBytes, maxImageBytes } from '../core/limits.ts';
import type { ImagePlace } from '../core/window-effects.ts';
import { readNow, type Storage, type StorageHost } from './storage.ts';

/** A part as it lies in its files, one behind the other; each is read when its promise resolves. */
export interface PartFiles {
  readonly bytes: number;
  readonly files: readonly Promise<Uint8Array>[];
}

function isPointer(pointer: ImagePlace | null | undefined): pointer is ImagePlace {
  if (typeof pointer?.generation !== 'string' || !Array.isArray(pointer.parts)) return false;
  if (typeof (pointer.mount ?? '') !== 'string') return false;
  return pointer.parts.every(
    (part: Partial<ImagePart> | null) =>
      typeof part?.file === 'string' &&
      Number.isInteger(part.bytes) &&
      (part.bytes as number) >= 0 &&
      (part.bytes as number) <= maxImageBytes,
  );
}

/** The mount of an image, and what its files' names begin with: no other image has files of these names. */
export function placeOf(
  database: string,
  { generation, mount }: Pick<ImagePlace, 'generation' | 'mount'>,
): { readonly mount: string; readonly name: string } {
  const path = `/${database}/${mount ?? generation}`;
  return { mount: path, name: `${path}/${mount ? `${generation}.` : ''}` };
}

export class ImageReader {
  readonly #host: StorageHost;
  /** `skerry/<name>/<user>`. */
  readonly #database: string;
  #early: { generation: string; parts: readonly PartFiles[] } | null = null;

  constructor(host: StorageHost, database: string) {
    this.#host = host;
    this.#database = database;
  }

  /** Begins to read what the pointer names now; the core asks for the same a little later, or for another. */
  async begin(storage: Storage): Promise<void> {
    const [record] = await readNow(storage, [{ store: 'sync', get: 'sync' }]);
    const pointer = (record as { image?: ImagePlace | null } | null)?.image;
    // The core finds out whether the pointer is damaged.
    if (!isPointer(pointer) || pointer.parts.length === 0) return;
    this.#early = { generation: pointer.generation, parts: this.#readParts(pointer) };
  }

  read(pointer: ImagePlace): readonly PartFiles[] {
    if (!isPointer(pointer))
      throw new CorruptImageError('corrupt', 'The pointer to the image is damaged.');
    const early = this.#early;
    this.#early = null;
    return early?.generation === pointer.generation ? early.parts : this.#readParts(pointer);
  }

  #readParts(pointer: ImagePlace): readonly PartFiles[] {
    const { parts } = pointer;
    const { mount, name } = placeOf(this.#database, pointer);
    const places = parts.flatMap(({ file, bytes }) =>
      Array.from({ length: Math.max(1, Math.ceil(bytes / imageFileBytes)) }, (_, i) => ({
        path: `${name}${file}.${i}`,
        length: Math.min(imageFileBytes, bytes - i * imageFileBytes),
        file,
      })),
    );
    const found = this.#host.readFiles(
      mount,
      places.map(({ path }) => path),
    );
    const files = places.map(async ({ path, length }, i) => {
      const contents = await found[i];
      if (contents?.length === length) return contents;
      throw new CorruptImageError('corrupt', `${path} of the image is missing or damaged.`);
    });
    // The caller that awaits a file gets the error. It does not await the files after one that failed.
    for (const file of files) file.catch(() => {});
    return parts.map(({ file, bytes }) => ({
      bytes,
      files: files.filter((_, i) => places[i]?.file === file),
    }));
  }
}
