// What a server does before it takes the first request: rows of a seed, images.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from './db/database.ts';
import { openPGlite } from './db/pglite.ts';
import type { Images } from './image/images.ts';
import type { Committer } from './push/commit.ts';
import { runSeed, type Seed } from './seed/seed.ts';

/** PGlite's database; one that is made at first takes some time. */
export function openFolder(
  data: string,
  progress: (message: string) => void,
  warn: (message: string) => void,
): Promise<Database> {
  const isNew = !existsSync(join(data, 'pg'));
  progress(isNew ? `Making a new database in ${data} …` : `Opening the database in ${data} …`);
  return openPGlite(data, { warn });
}

/** Makes the images that the first clients will ask for, so that none of them waits. */
export async function makeImages(
  realms: ReadonlySet<string>,
  parts: { database: Database; images: Images; progress: (message: string) => void },
): Promise<void> {
  for (const realm of realms) {
    parts.progress(`Making the image of ${realm} …`);
    const { bytes } = await parts.database.transaction({ mode: 'snapshot' }, (tx) =>
      parts.images.offer(tx, realm),
    );
    parts.progress(`Made the image of ${realm}: ${(bytes / 1e6).toFixed(1)} MB`);
  }
}

export async function seedFirst(
  seed: Seed,
  parts: { database: Database; committer: Committer; progress: (message: string) => void },
): Promise<ReadonlySet<string>> {
  const began = performance.now();
  return runSeed({
    ...parts,
    seed,
    progress: (rows, done) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      parts.progress(`${done ? 'Filled' : 'Filling'} the database: ${rows} rows, ${seconds} s`);
    },
  });
}
