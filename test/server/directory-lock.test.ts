// Goal: two processes never use one data directory, and a dead one never keeps its lock. Method: separate processes
// that take the lock, are killed, and try while another one holds it.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DirectoryInUseError, lockDirectory } from '../../server/src/db/directory-lock.ts';

let folder: string;
let holder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-lock-'));
  holder = join(folder, 'holder.mjs');
  await build({
    stdin: {
      contents: `import { lockDirectory } from './directory-lock.ts';
        await lockDirectory(process.argv[2]);
        console.log('held');
        setInterval(() => {}, 1000);`,
      resolveDir: join(import.meta.dirname, '../../server/src/db'),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: holder,
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function hold(directory: string): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [holder, directory]);
    child.stdout.once('data', () => resolve(child));
    child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

describe('the lock on a data directory', () => {
  test('refuses a second process, and names the directory and the holder', async () => {
    const directory = join(folder, 'a');
    const child = await hold(directory);
    try {
      const refused = await lockDirectory(directory).then(
        () => null,
        (error: unknown) => error,
      );
      expect(refused).toBeInstanceOf(DirectoryInUseError);
      expect((refused as Error).message).toContain(directory);
      expect((refused as Error).message).toContain(`process ${child.pid}`);
    } finally {
      const gone = ended(child);
      child.kill('SIGKILL');
      await gone;
    }
  });

  test('is released by the death of its holder', async () => {
    const directory = join(folder, 'b');
    const child = await hold(directory);
    const gone = ended(child);
    child.kill('SIGKILL');
    await gone;
    const lock = await lockDirectory(directory);
    await lock.release();
  });

  test('refuses a second holder in the same process, and is free after its release', async () => {
    const directory = join(folder, 'c');
    const lock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toBeInstanceOf(DirectoryInUseError);
    await lock.release();
    await (await lockDirectory(directory)).release();
  });
});
