// A lock on a data directory that the system releases when its holder dies, for whatever reason. PGlite takes no
// lock, and two processes on one directory would silently lose each other's rows.
//
// Linux: flock(2). Node has no call for it, but the lock belongs to the open file description, not to the process
// that took it: `flock` (util-linux, busybox) takes it on a descriptor that it inherits from this process, and exits.
// The lock lasts until this process closes its descriptor, or dies. If there is no such program: an abstract socket
// named after the directory's device and inode. BSD and macOS: open(2) with O_EXLOCK. Windows: a named pipe.

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

export class DirectoryInUseError extends Error {
  readonly code = 'directory_in_use';
}

export interface DirectoryLock {
  release(): Promise<void>;
}

const kExclusiveLock = 0x20; // O_EXLOCK of the BSDs and macOS
const kFileName = 'lock';

function inUse(directory: string): DirectoryInUseError {
  let holder = '';
  try {
    const pid = readFileSync(join(directory, kFileName), 'utf8').trim();
    if (/^\d+$/.test(pid)) holder = ` by process ${pid}`;
  } catch (error) {
    // The holder's name is only a help: a lock file that cannot be read must not hide the message itself.
    holder = ` (its lock file cannot be read: ${(error as Error).message})`;
  }
  return new DirectoryInUseError(
    `The data directory ${directory} is in use${holder}. Stop that server, or give this one another --data directory.`,
  );
}

function held(descriptor: number): DirectoryLock {
  ftruncateSync(descriptor, 0);
  writeSync(descriptor, `${process.pid}\n`, 0);
  return {
    async release() {
      closeSync(descriptor);
    },
  };
}

/** Locks by a socket or pipe whose name only one process can have. */
function lockByName(name: string, directory: string): Promise<DirectoryLock> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? inUse(directory) : error),
    );
    server.listen(name, () =>
      resolve({ release: () => new Promise((done) => server.close(() => done())) }),
    );
  });
}

/** Takes the lock, or throws DirectoryInUseError at once. Creates the directory if it does not exist. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, kFileName);
  const { dev, ino } = statSync(directory);
  if (process.platform === 'win32') {
    return lockByName(`\\\\.\\pipe\\skerry-${dev}-${ino}`, directory);
  }
  if (process.platform !== 'linux') {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | kExclusiveLock;
    try {
      return held(openSync(path, flags, 0o600));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') throw inUse(directory);
      throw error;
    }
  }
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const asked = spawnSync('flock', ['-n', '-x', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
  });
  if (asked.status === 0) return held(descriptor);
  closeSync(descriptor);
  if (asked.error && (asked.error as NodeJS.ErrnoException).code === 'ENOENT') {
    return lockByName(`\0skerry-${dev}-${ino}`, directory);
  }
  if (asked.error) throw asked.error;
  throw inUse(directory);
}
