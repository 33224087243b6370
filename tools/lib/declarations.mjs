// Finds the emitted declarations that are the package's types: those that an entry imports, directly or not. The other
// declarations describe internals, which an application cannot import.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filesBelow } from './stamps.mjs';

const kImports = /(?:\bfrom|\bimport|\bimport\()\s*["'](\.[^"']+)\.ts["']/g;

/** Deletes, in this folder, the declarations that none of the entries needs. */
export function pruneDeclarations(entries, folder) {
  const needed = new Set();
  const waiting = [...entries];
  for (let path = waiting.pop(); path; path = waiting.pop()) {
    if (needed.has(path) || !existsSync(path)) continue;
    needed.add(path);
    const text = readFileSync(path, 'utf8');
    for (const [, name] of text.matchAll(kImports))
      waiting.push(join(dirname(path), `${name}.d.ts`));
  }
  for (const file of filesBelow(folder))
    if (file.endsWith('.d.ts') && !needed.has(file)) rmSync(file);
}
