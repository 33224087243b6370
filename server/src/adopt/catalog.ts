// What the catalogue of PostgreSQL says of a table that is to be adopted.

import type { Queryable } from '../db/database.ts';

export interface CatalogColumn {
  readonly name: string;
  /** As `format_type` writes it: `character varying(20)`. Of a domain, the type below it. */
  readonly type: string;
  /** The type without its length, with its schema: an explicit cast would cut a text that is too long, where an assignment refuses it. */
  readonly cast: string;
  /** e: an enum. */
  readonly kind: string;
  readonly isRequired: boolean;
  readonly hasDefault: boolean;
  /** Its default as an expression, unless it is an identity. */
  readonly default: string | null;
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
  /** Other tables inherit from it. */
  readonly isInherited: boolean;
  /** It is empty after a crash. */
  readonly isUnlogged: boolean;
  /** `create rule`: writes may do something else. */
  readonly hasRules: boolean;
  readonly hasRowSecurity: boolean;
  /** The columns of its primary key. */
  readonly key: readonly string[];
  readonly columns: readonly CatalogColumn[];
  readonly foreignKeys: readonly ForeignKey[];
}

/** The type of the column `a`, which has the type `t`: of a domain, the one below it, and below that, if it is one. */
const kBelowDomains = `
  with recursive below as (
    select t.oid as type, a.atttypmod as modifier, t.typtype as kind, t.typbasetype as next, t.typtypmod as next_modifier,
           t.typnotnull as is_required, t.typdefault is not null and t.typtype = 'd' as has_default
    union all
    select y.oid, w.next_modifier, y.typtype, y.typbasetype, y.typtypmod, w.is_required or y.typnotnull,
           w.has_default or y.typdefault is not null and y.typtype = 'd'
      from below w join pg_type y on y.oid = w.next where w.kind = 'd')
  select * from below w where w.kind <> 'd'`;

/** The table of this name in the schema `public`; null: there is none. */
export async function readCatalog(tx: Queryable, name: string): Promise<CatalogTable | null> {
  const [row] = await tx.query<{ table: string }>(
    `select json_build_object(
       'name', c.relname, 'kind', c.relkind, 'isPartition', c.relispartition, 'isUnlogged', c.relpersistence = 'u', 'hasRules', c.relhasrules,
       'isInherited', c.relkind = 'r' and exists (select 1 from pg_inherits i where i.inhparent = c.oid), 'hasRowSecurity', c.relforcerowsecurity,
       'key', coalesce((select json_agg(a.attname order by k.place) from pg_constraint p
           cross join lateral unnest(p.conkey) with ordinality as k(number, place)
           join pg_attribute a on a.attrelid = p.conrelid and a.attnum = k.number
          where p.conrelid = c.oid and p.contype = 'p'), '[]'),
       'columns', coalesce((select json_agg(json_build_object(
             'name', a.attname, 'type', format_type(b.type, b.modifier), 'cast', format('%I.%I', s.nspname, t.typname), 'kind', b.kind,
             'isRequired', a.attnotnull or b.is_required, 'hasDefault', a.atthasdef or a.attidentity <> '' or b.has_default,
             'default', case when a.attgenerated = '' then (
               select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum) end,
             'isGenerated', a.attgenerated <> '' or a.attidentity = 'a',
             'members', coalesce((select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = b.type), '[]')
           ) order by a.attnum)
           from pg_attribute a join pg_type t on t.oid = a.atttypid join pg_namespace s on s.oid = t.typnamespace
           cross join lateral (${kBelowDomains}) b
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
