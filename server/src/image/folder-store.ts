// Where images are: a folder of files that never change. A listing beside each file names it, and is written last, under
// its own name at once: what it names is whole.

import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Queryable } from '../db/database.ts';
import { isObject } from '../http/body.ts';
import { limits } from '../limits.ts';

/** As pull's `fills` name it (docs/internals.md section 6). */
export interface ImageOffer {
  readonly realm: string;
  readonly revision: number;
  readonly at: number;
  readonly epoch: string;
  readonly hash: string;
  readonly bytes: number;
  readonly url: string;
}

export interface Kept extends ImageOffer {
  /** The schema that it was made under: another one reads it as another version. */
  readonly schema: string;
  readonly file: string;
}

/** What an image's address names. */
export type ImageName = Pick<ImageOffer, 'realm' | 'epoch' | 'revision' | 'hash'>;

export function imageUrl({ realm, epoch, revision, hash }: ImageName): string {
  return `/v1/snapshot/${encodeURIComponent(realm)}/${epoch}/${revision}/${hash}`;
}

export interface ImageFile {
  readonly path: string;
  readonly bytes: number;
}

export interface ImageStore {
  /** The newest image of a realm in one of its epochs, as far as `tx` can see. */
  newest(tx: Queryable, realm: string, epoch: string): Promise<Kept | null>;
  /** Resolves when whoever is offered the image can fetch it. */
  keep(kept: Kept, bytes: Uint8Array): Promise<void>;
  find(name: ImageName): Promise<ImageFile | null>;
  close(): Promise<void>;
}

const kListing = /\.json$/;

function isKept(value: unknown): value is Kept {
  return (
    isObject(value) &&
    ['realm', 'epoch', 'hash', 'url', 'schema', 'file'].every(
      (name) => typeof value[name] === 'string',
    ) &&
    ['revision', 'at', 'bytes'].every((name) => Number.isSafeInteger(value[name])) &&
    /^[0-9a-f-]+\.image$/.test(String(value.file))
  );
}

function parse(text: string): Kept | null {
  try {
    const value: unknown = JSON.parse(text);
    return isKept(value) ? value : null;
  } catch (error) {
    // A listing that a crash left half written: its image is made again when it is needed.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export class FolderStore implements ImageStore {
  readonly #folder: string;
  /** Newest last. */
  #kept: Kept[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Finds the images that are on disk; what cannot be read, or is of another schema, is removed. */
  static async open(folder: string, schemaHash: string): Promise<FolderStore> {
    const store = new FolderStore(folder);
    await mkdir(folder, { recursive: true });
    const wanted = new Set<string>();
    for (const name of await readdir(folder)) {
      if (!kListing.test(name)) continue;
      const kept = parse(await readFile(join(folder, name), 'utf8'));
      if (kept === null || kept.schema !== schemaHash) continue;
      store.#kept.push(kept);
      wanted.add(name).add(kept.file);
    }
    for (const name of await readdir(folder)) {
      if (!wanted.has(name)) await rm(join(folder, name), { force: true });
    }
    store.#kept.sort((a, b) => a.at - b.at);
    return store;
  }

  async newest(_tx: Queryable, realm: string, epoch: string): Promise<Kept | null> {
    return this.#kept.findLast((one) => one.realm === realm && one.epoch === epoch) ?? null;
  }

  async find({ realm, epoch, revision, hash }: ImageName): Promise<ImageFile | null> {
    const kept = this.#kept.find(
      (one) =>
        one.realm === realm &&
        one.epoch === epoch &&
        one.revision === revision &&
        one.hash === hash,
    );
    if (kept === undefined) return null;
    const path = join(this.#folder, kept.file);
    if (existsSync(path)) return { path, bytes: kept.bytes };
    // Somebody has cleared the folder, which is nothing but a cache.
    this.#kept = this.#kept.filter((one) => one !== kept);
    return null;
  }

  async keep(kept: Kept, bytes: Uint8Array): Promise<void> {
    const path = join(this.#folder, kept.file);
    const listing = `${path}.json`;
    await mkdir(this.#folder, { recursive: true });
    const file = await open(path, 'wx');
    try {
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await writeFile(`${listing}.new`, JSON.stringify(kept));
      await rename(`${listing}.new`, listing);
    } catch (error) {
      // A disk that is full must not be filled further by each try.
      for (const left of [path, `${listing}.new`]) await rm(left, { force: true });
      throw error;
    }
    this.#kept.push(kept);
    await this.#removeOld();
  }

  async close(): Promise<void> {}

  async #removeOld(): Promise<void> {
    const extra = this.#kept.slice(0, Math.max(0, this.#kept.length - limits.imagesKept));
    this.#kept = this.#kept.slice(extra.length);
    for (const { file } of extra) {
      await rm(join(this.#folder, `${file}.json`), { force: true });
      await rm(join(this.#folder, file), { force: true });
    }
  }
}
