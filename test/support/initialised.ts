// A database folder that PGlite has initialised once, for a whole run of tests: to initialise one takes it as long as to start
// three servers. It has no table yet, so that a server which starts on a copy does all that it does on an empty folder.

import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Processes of the run find the folder by it. */
const VARIABLE = 'SKERRY_TEST_PGLITE';

/**
 * Of Node, for servers that live for a few seconds: wasm is compiled once, as it comes, and not a second time for speed, which
 * costs as much as all the rest of a start.
 */
export const quickStart: readonly string[] = ['--liftoff-only'];

/** What vitest.config.ts calls before the tests of a project; several projects of a run share the folder. */
export default async function setup(): Promise<(() => void) | undefined> {
  if (process.env[VARIABLE]) return undefined;
  // Here alone: whatever places a copy, or reads `quickStart`, need not load the engine.
  const { PGlite } = await import('@electric-sql/pglite');
  const folder = mkdtempSync(join(tmpdir(), 'skerry-pglite-'));
  const database = await PGlite.create({ dataDir: join(folder, 'pg') });
  await database.close();
  process.env[VARIABLE] = folder;
  return () => {
    delete process.env[VARIABLE];
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Puts a copy into a data folder that has no database yet, and returns it. Outside of such a run the server makes its own. */
export function placeDatabase(data: string): string {
  const folder = process.env[VARIABLE];
  if (!folder || existsSync(join(data, 'pg'))) return data;
  mkdirSync(data, { recursive: true });
  cpSync(join(folder, 'pg'), join(data, 'pg'), { recursive: true });
  return data;
}
