// Where tests have their folders: in memory, if there is enough. Databases, profiles of browsers and packed packages are some
// hundred megabytes at a time, of which nothing is to be kept, and a disk would take a good part of the time of all tests.

import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { join } from 'node:path';
import { isRunning } from './processes.ts';

const kMemory = '/dev/shm';
/** Several times as much as the tests of a run have had at once. */
const kLeastBytes = 8e9;
const kOurs = /^skerry-tests-(\d+)-/;

/** What Linux would give to programs without taking it from others; 0 elsewhere. */
function availableBytes(): number {
  if (!existsSync('/proc/meminfo') || !existsSync(kMemory)) return 0;
  const [, kilobytes] =
    /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
  const { bavail, bsize } = statfsSync(kMemory);
  return Math.min(Number(kilobytes ?? 0) * 1024, bavail * bsize);
}

/** What runs have left that were killed. */
function removeLeft(): void {
  for (const name of readdirSync(kMemory)) {
    const [, pid] = kOurs.exec(name) ?? [];
    if (pid !== undefined && !isRunning(Number(pid)))
      rmSync(join(kMemory, name), { recursive: true, force: true });
  }
}

/** From here on `tmpdir()` is a folder in memory, here and in processes that this one starts; it ends with this process. */
export function keepFilesInMemory(): void {
  if (process.env['TMPDIR'] !== undefined) return;
  if (existsSync(kMemory)) removeLeft();
  if (availableBytes() < kLeastBytes) return;
  const folder = mkdtempSync(join(kMemory, `skerry-tests-${process.pid}-`));
  // PostgreSQL runs as another user.
  chmodSync(folder, 0o711);
  process.env['TMPDIR'] = folder;
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
}
