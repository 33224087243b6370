// What has passed, by key: a file in build/passed for each. It is written at once as a whole, so that runs side by side do no
// harm, and one that is interrupted leaves what had passed until then.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** About ten times the units of a whole run: the stamps of some branches side by side. */
const kMost = 6_000;
const kOldestMs = 60 * 24 * 60 * 60 * 1000;

export class Stamps {
  constructor(folder) {
    this.folder = folder;
  }

  #path(key) {
    return join(this.folder, key);
  }

  /** What was stored when it passed: `{ passed, skipped }`, the numbers of its tests; or undefined. */
  get(key) {
    const path = this.#path(key);
    if (!existsSync(path)) return undefined;
    try {
      const record = JSON.parse(readFileSync(path, 'utf8'));
      // The use of a stamp keeps it from being dropped.
      utimesSync(path, new Date(), new Date());
      return record;
    } catch {
      return undefined;
    }
  }

  put(key, record) {
    mkdirSync(this.folder, { recursive: true });
    const fresh = `${this.#path(key)}.${process.pid}`;
    writeFileSync(fresh, JSON.stringify(record));
    renameSync(fresh, this.#path(key));
  }

  /** What was put turned out not to have passed. */
  take(key) {
    rmSync(this.#path(key), { force: true });
  }

  /** Drops those that were not used for long, and the oldest above the bound. */
  prune(most = kMost, now = Date.now()) {
    if (!existsSync(this.folder)) return;
    const byAge = readdirSync(this.folder)
      .map((name) => {
        const info = statSync(this.#path(name), { throwIfNoEntry: false });
        return { name, used: info?.mtimeMs ?? 0 };
      })
      .sort((a, b) => b.used - a.used);
    byAge.forEach(({ name, used }, i) => {
      if (i >= most || now - used > kOldestMs) this.take(name);
    });
  }
}
