// Whether the disk has room for what a transaction may write. PGlite does not survive a write that fails: its thread ends,
// and cannot start again without room, so not even reads would go on. So nothing is written to a disk that is nearly
// full: what is left is for the engine's own work, and for a restart.

import { statfs } from 'node:fs/promises';
import { DiskFull } from './database.ts';

export interface DiskRoomOptions {
  /** Writes are refused while fewer bytes are free. */
  readonly leastBytes: number;
  /** For how long an answer of the file system is used. */
  readonly freshMs: number;
  readonly warn: (message: string) => void;
  readonly freeBytes?: (folder: string) => Promise<number>;
  /** A monotonic clock, in milliseconds. */
  readonly steady?: () => number;
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

const megabytes = (bytes: number) => Math.floor(bytes / 2 ** 20);

export class DiskRoom {
  readonly #folder: string;
  readonly #options: DiskRoomOptions;
  #askedAt = Number.NEGATIVE_INFINITY;
  #free: Promise<number> = Promise.resolve(0);
  #isFull = false;

  constructor(folder: string, options: DiskRoomOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Throws DiskFull. */
  async check(): Promise<void> {
    const { leastBytes, freshMs, warn, freeBytes = freeBytesOf } = this.#options;
    const now = (this.#options.steady ?? (() => performance.now()))();
    if (now - this.#askedAt >= freshMs) {
      this.#askedAt = now;
      this.#free = freeBytes(this.#folder);
    }
    const free = await this.#free;
    const isFull = free < leastBytes;
    const message = `The disk of the database is full: ${megabytes(free)} MB are free, and writes need ${megabytes(leastBytes)} MB.`;
    if (isFull !== this.#isFull) {
      this.#isFull = isFull;
      warn(isFull ? `${message} They are refused; reads go on.` : 'The disk has room again.');
    }
    if (isFull) throw new DiskFull(message);
  }
}
