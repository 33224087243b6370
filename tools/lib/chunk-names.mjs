// Names for the chunks of esbuild, by which size-limit (package.json) and a build that removes old ones know them.

import { basename } from 'node:path';

/** Stands for a chunk's name of the same length, so that no position in a source map changes. */
export const kUnnamed = '______';

/** The old and new names of chunks, chosen by the entries that import each chunk statically, and by its source. */
export function chunkNames({ outputs }, choose) {
  const importers = new Map();
  const visit = (path, entry) => {
    const entries = importers.get(path) ?? new Set();
    importers.set(path, entries);
    if (entries.has(entry)) return;
    entries.add(entry);
    for (const each of outputs[path].imports)
      if (each.kind === 'import-statement') visit(each.path, entry);
  };
  const chunks = Object.keys(outputs).filter((path) => path.endsWith('.js'));
  const isEntry = (path) => !basename(path).includes(kUnnamed);
  for (const path of chunks.filter(isEntry)) visit(path, basename(path, '.js'));
  return chunks
    .filter((path) => !isEntry(path))
    .map((path) => {
      const file = basename(path, '.js');
      const chosen = choose(importers.get(path) ?? new Set(), outputs[path].entryPoint ?? '');
      return [file, file.replace(kUnnamed, chosen)];
    });
}
