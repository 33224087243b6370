// Tables of Skerry that stand beside adopted ones (adopt/) have other names in SQL than their schema gives them.

import type { Queryable } from '../db/database.ts';
import { readMeta, writeMeta } from './migrations.ts';

const kNames = 'adopted';

/** By the name in the schema: that in SQL. */
export async function readAdoptedNames(tx: Queryable): Promise<ReadonlyMap<string, string>> {
  const text = await readMeta(tx, kNames);
  return new Map(text === null ? [] : Object.entries(JSON.parse(text) as Record<string, string>));
}

export async function writeAdoptedNames(
  tx: Queryable,
  names: ReadonlyMap<string, string>,
): Promise<void> {
  await writeMeta(tx, kNames, JSON.stringify(Object.fromEntries(names)));
}
