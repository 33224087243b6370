// Stores images in a folder of immutable files. A listing beside each file describes it. The listing is written last,
// and renamed into place: an image with a listing is complete.

import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import type { Image } from '../base/wire-types.ts';
import type { Queryable } from '../db/database.ts';

/** As in `fills` of a pull (docs/internals.md section 6). */
export type ImageOffer = Image;

export interface StoredImage extends ImageOffer {
  /** The schema that it was made under; under another schema it cannot be used. */
  readonly schema: string;
  readonly file: string;
}

/** The parts of an image's address. */
export type ImageName = Pick<ImageOffer, 'realm' | 'epoch' | 'revision' | 'hash'>;

export function imageUrl({ realm, epoch, revision, hash }: ImageName): string {
  return `/v1/snapshot/${encodeURIComponent(realm)}/${epoch}/${revision}/${hash}`;
}

const kNameParts = /^[\w-]{1,64}\/\d{1,15}\/[\w-]{1,64}$/;

/** The name in an address, or null if no image can have it. */
export function imageNameOf(
  parts: Readonly<Record<'realm' | 'epoch' | 'revision' | 'hash', string>>,
): ImageName | null {
  const { realm, epoch, revision, hash } = parts;
  if (!kNameParts.test(`${epoch}/${revision}/${hash}`)) return null;
  return { realm, epoch, revision: Number(revision), hash };
}

export interface ImageFile {
  readonly path: string;
  readonly bytes: number;
}

export interface ImageStore {
  /** The newest image of a realm in one of its epochs, as of the snapshot of `tx`. */
  newest(tx: Queryable, realm: string, epoch: string): Promise<StoredImage | null>;
  /** Resolves when a client that is offered the image can fetch it. */
  keep(kept: StoredImage, bytes: Uint8Array): Promise<void>;
  find(name: ImageName): Promise<ImageFile | null>;
  /** Whether `find` would find it now. Otherwise it must not be offered. */
  has(name: ImageName): Promise<boolean>;
  close(): Promise<void>;
}

const kListing = /\.json$/;

function isKept(value: unknown): value is StoredImage {
  return (
    isObject(value) &&
    ['realm', 'epoch', 'hash', 'url', 'schema', 'file'].every(
      (name) => typeof value[name] === 'string',
    ) &&
    ['revision', 'at', 'bytes'].every((name) => Number.isSafeInteger(value[name])) &&
    /^[0-9a-f-]+\.image$/.test(String(value.file))
  );
}

function parse(text: string): StoredImage | null {
  try {
    const value: unknown = JSON.parse(text);
    return isKept(value) ? value : null;
  } catch (error) {
    // A listing that a crash left incomplete: its image is made again when it is needed.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

interface UsedImage {
  readonly kept: StoredImage;
  /** When it was last made, offered or fetched. */
  usedAt: number;
}

export interface FolderBounds {
  readonly ofRealm: number;
  readonly bytes: number;
  readonly files: number;
  /** How long an offer is valid. */
  readonly offeredMs: number;
}

const kBounds: FolderBounds = {
  ofRealm: limits.imagesKept,
  bytes: limits.imageBytesKept,
  files: limits.imageFilesKept,
  offeredMs: limits.imageOfferedMs,
};

export class FolderStore implements ImageStore {
  readonly #folder: string;
  readonly #bounds: FolderBounds;
  /** The least recently used comes first. */
  #held: UsedImage[] = [];

  private constructor(folder: string, bounds: FolderBounds) {
    this.#folder = folder;
    this.#bounds = bounds;
  }

  /** Finds the images on disk. Unreadable ones, and those of another schema, are removed. */
  static async open(
    folder: string,
    schemaHash: string,
    bounds: FolderBounds = kBounds,
  ): Promise<FolderStore> {
    const store = new FolderStore(folder, bounds);
    await mkdir(folder, { recursive: true });
    const wanted = new Set<string>();
    for (const name of await readdir(folder)) {
      if (!kListing.test(name)) continue;
      const kept = parse(await readFile(join(folder, name), 'utf8'));
      if (kept === null || kept.schema !== schemaHash) continue;
      store.#held.push({ kept, usedAt: Number.NEGATIVE_INFINITY });
      wanted.add(name).add(kept.file);
    }
    for (const name of await readdir(folder)) {
      if (!wanted.has(name)) await rm(join(folder, name), { force: true });
    }
    store.#held.sort((a, b) => a.kept.at - b.kept.at);
    return store;
  }

  async newest(_tx: Queryable, realm: string, epoch: string): Promise<StoredImage | null> {
    const ofRealm = this.#held
      .filter(({ kept }) => kept.realm === realm && kept.epoch === epoch)
      .sort((a, b) => b.kept.revision - a.kept.revision || b.kept.at - a.kept.at);
    return ofRealm.find((held) => this.#use(held) !== null)?.kept ?? null;
  }

  async find({ realm, epoch, revision, hash }: ImageName): Promise<ImageFile | null> {
    const held = this.#held.find(
      ({ kept }) =>
        kept.realm === realm &&
        kept.epoch === epoch &&
        kept.revision === revision &&
        kept.hash === hash,
    );
    return held === undefined ? null : this.#use(held);
  }

  async has(name: ImageName): Promise<boolean> {
    return (await this.find(name)) !== null;
  }

  async keep(kept: StoredImage, bytes: Uint8Array): Promise<void> {
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
      // Failed tries must not fill a full disk further.
      for (const left of [path, `${listing}.new`]) await rm(left, { force: true });
      throw error;
    }
    this.#held.push({ kept, usedAt: performance.now() });
    await this.#removeOld(kept.realm);
  }

  async close(): Promise<void> {}

  /** The file of an image that is offered or fetched; null, and forgotten, if it no longer exists. */
  #use(held: UsedImage): ImageFile | null {
    this.#held = this.#held.filter((one) => one !== held);
    const path = join(this.#folder, held.kept.file);
    // The folder is only a cache, and may have been cleared.
    if (!existsSync(path)) return null;
    held.usedAt = performance.now();
    this.#held.push(held);
    return { path, bytes: held.kept.bytes };
  }

  async #removeOld(realm: string): Promise<void> {
    const { ofRealm, bytes, files, offeredMs } = this.#bounds;
    const same = this.#held.filter(({ kept }) => kept.realm === realm);
    const extra = new Set(same.slice(0, Math.max(0, same.length - ofRealm)));
    let left = this.#held.length - extra.size;
    let size = 0;
    for (const held of this.#held) if (!extra.has(held)) size += held.kept.bytes;
    for (const held of this.#held) {
      if (left <= files && size <= bytes) break;
      // An image that was just offered is about to be fetched; but the disk has a limit.
      const isOffered = performance.now() - held.usedAt < offeredMs;
      if (extra.has(held) || (isOffered && left <= 2 * files && size <= 2 * bytes)) continue;
      extra.add(held);
      left--;
      size -= held.kept.bytes;
    }
    this.#held = this.#held.filter((held) => !extra.has(held));
    for (const { kept } of extra) {
      await rm(join(this.#folder, `${kept.file}.json`), { force: true });
      await rm(join(this.#folder, kept.file), { force: true });
    }
  }
}
