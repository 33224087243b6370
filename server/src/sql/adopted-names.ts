// Tables of Skerry that stand beside adopted ones (adopt/) have other names in SQL than their schema gives them.

import type { Queryable } from '../db/database.ts';
import { readMeta, writeMeta } from './meta.ts';

const kAdopted = 'adopted';

/** What is known of an adopted table outside of adopt/. */
export interface AdoptedNames {
  /** The name in the schema. */
  readonly name: string;
  /** That of the table of Skerry beside it, in SQL. */
  readonly mirror: string;
}

/** The adopted tables, as adopt/ has described them. */
export async function readAdopted<Table extends AdoptedNames>(tx: Queryable): Promise<Table[]> {
  const text = await readMeta(tx, kAdopted);
  return text === null ? [] : (JSON.parse(text) as Table[]);
}

export async function writeAdopted(tx: Queryable, tables: readonly AdoptedNames[]): Promise<void> {
  await writeMeta(tx, kAdopted, JSON.stringify(tables));
}

/** By the name in the schema: that in SQL. */
export async function readAdoptedNames(tx: Queryable): Promise<ReadonlyMap<string, string>> {
  const tables = await readAdopted(tx);
  return new Map(tables.map(({ name, mirror }) => [name, mirror]));
}
