// What the catalogue of PostgreSQL says of a table that is to be adopted.

import type { Queryable } from '../db/database.ts';

export interface CatalogColumn {
  readonly name: string;
  /** As `format_type` writes it: `character varying(20)`. */
  readonly type: string;
  /** The type without its length, with its schema: an explicit cast would cut a text that is too long, where an assignment refuses it. */
  readonly cast: string;
  /** e: an enum. */
  readonly kind: string;
  readonly isRequired: boolean;
  readonly hasDefault: boolean;
  /** Its value is computed: it cannot be written. */
  readonly isGenerated: boolean;
  /** The members of an enum, in order. */
  readonly members: readonly string[];
}

export interface ForeignKey {
  readonly column: string;
  readonly target: string;
  readonly targetColumn: string;
  /** c: cascade, n: set null, d: set default, r: restrict, a: no action. */
  readonly onDelete: string;
}

export interface CatalogTable {
  readonly name: string;
  /** r: an ordinary table, p: a partitioned one, v: a view, m: a materialized one, f: a foreign one. */
  readonly kind: string;
  readonly isPartition: boolean;
  readonly hasRowSecurity: boolean;
  /** The columns of its primary key. */
  readonly key: readonly string[];
  readonly columns: readonly CatalogColumn[];
  readonly foreignKeys: readonly ForeignKey[];
}

/** The table of this name in the schema `public`; null: there is none. */
export async function readCatalog(tx: Queryable, name: string): Promise<CatalogTable | null> {
  const [row] = await tx.query<{ table: string }>(
    `select json_build_object(
       'name', c.relname, 'kind', c.relkind, 'isPartition', c.relispartition, 'hasRowSecurity', c.relforcerowsecurity,
       'key', coalesce((select json_agg(a.attname order by k.place) from pg_constraint p
           cross join lateral unnest(p.conkey) with ordinality as k(number, place)
           join pg_attribute a on a.attrelid = p.conrelid and a.attnum = k.number
          where p.conrelid = c.oid and p.contype = 'p'), '[]'),
       'columns', coalesce((select json_agg(json_build_object(
             'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'cast', format('%I.%I', s.nspname, t.typname), 'kind', t.typtype,
             'isRequired', a.attnotnull, 'hasDefault', a.atthasdef or a.attidentity <> '',
             'isGenerated', a.attgenerated <> '' or a.attidentity = 'a',
             'members', coalesce((select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid), '[]')
           ) order by a.attnum)
           from pg_attribute a join pg_type t on t.oid = a.atttypid join pg_namespace s on s.oid = t.typnamespace
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]'),
       'foreignKeys', coalesce((select json_agg(json_build_object(
             'column', a.attname, 'target', r.relname, 'targetColumn', b.attname, 'onDelete', f.confdeltype))
           from pg_constraint f
           join pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[1]
           join pg_attribute b on b.attrelid = f.confrelid and b.attnum = f.confkey[1]
           join pg_class r on r.oid = f.confrelid
          where f.conrelid = c.oid and f.contype = 'f' and array_length(f.conkey, 1) = 1
            and r.relnamespace = 'public'::regnamespace), '[]'))::text as table
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relname = $1::text
        and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
    [name],
  );
  return row === undefined ? null : (JSON.parse(row.table) as CatalogTable);
}
