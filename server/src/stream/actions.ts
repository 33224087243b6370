// The actions of streams, as SQL reads them: by stream, forwards for pulls, and backwards for histories. What is read
// is cut by bytes before any argument is read.

import { limits } from '../base/limits.ts';
import type { StreamNeed } from '../base/wire-types.ts';
import { Params, type Queryable } from '../db/database.ts';

export interface StreamAddress {
  readonly realm: string;
  readonly stream: string;
}

export interface StreamRead {
  /** `"actions":[{"stream","revision","position","action":"<JSON text>"}],"more":bool` */
  readonly text: string;
  /** The revision of the last action, if others follow. */
  readonly end: number | null;
  readonly entries: number;
  readonly bytes: number;
}

interface ActionPageRow {
  readonly text: string | null;
  readonly last: string | null;
  readonly more: string;
  readonly entries: string;
  readonly bytes: string;
}

/** Actions, with the snapshots that come in place of others. */
export interface StreamPart {
  /** `{"actions","more","snapshots":[{"stream","version","revision","hash"}],"upto"?,"floor"?}` (docs/authority.md) */
  readonly text: string;
  readonly entries: number;
  readonly bytes: number;
  /** Of the states, which the client fetches by themselves. */
  readonly stateBytes: number;
}

/** The members of an action on the wire, of the row `a`. */
export const kActionMembers = `'id', a.id, 'name', a.name, 'arg', a.arg, 'at', a.at, 'madeAt', a.made_at, 'author', a.author`;

/** The condition on `<alias>.stream`. */
export function ofStream(stream: string, params: Params, alias: string): string {
  if (!stream.endsWith('*')) return `${alias}.stream = ${params.add(stream)} collate "C"`;
  const prefix = params.add(stream.slice(0, -1));
  return `starts_with(${alias}.stream, ${prefix})`;
}

/** Whole entries of the range: as many as have `bytes`, but at least one. */
export async function readStream(
  tx: Queryable,
  range: StreamNeed,
  bytes: number,
): Promise<StreamRead> {
  const params = new Params();
  const realm = params.add(range.realm);
  const within = `a.realm = ${realm} collate "C" and ${ofStream(range.stream, params, 'a')}
             and a.revision > ${params.add(String(range.from))}::bigint and a.revision <= ${params.add(String(range.upto))}::bigint`;
  const isLast = range.last !== null;
  const most = range.last ?? limits.streamActions;
  const budget = `${params.add(String(bytes))}::bigint`;
  const order = isLast ? 'desc' : 'asc';
  // The last entry that is found may be cut off by the limit: forwards it is left out, backwards it is read whole. No
  // entry has more actions than the limit of `forwards`.
  const fits = isLast ? `e.upto - e.actions < ${most}` : `e.upto <= ${most}`;
  const more = isLast
    ? `exists (select 1 from skerry.append a where ${within} and a.revision < b.first)`
    : `exists (select 1 from found f where f.revision > b.last)`;
  const [row] = await tx.query<ActionPageRow>(
    `with found as (
       select a.stream, a.revision, a.position, a.bytes from skerry.append a
        where ${within}
        order by a.revision ${order}, a.stream ${order}, a.position ${order} limit ${most + 1}),
     entry as (
       select f.revision, sum(f.bytes) as bytes, count(*) as actions, sum(count(*)) over (order by f.revision ${order}) as upto,
              sum(sum(f.bytes)) over (order by f.revision ${order}) as upto_bytes,
              row_number() over (order by f.revision ${order}) as place
         from found f group by f.revision),
     taken as (
       select e.* from entry e
        where e.place = 1 or (e.upto_bytes <= ${budget} and ${fits})),
     bounds as (
       select min(t.revision) as first, max(t.revision) as last, count(*) as entries, coalesce(sum(t.bytes), 0) as bytes
         from taken t)
     select b.entries::text as entries, b.bytes::text as bytes, b.last::text as last,
            (${more})::text as more,
            (select string_agg(json_build_object('stream', a.stream, 'revision', a.revision, 'position', a.position,
                       'action', json_build_object(${kActionMembers})::text)::text, ',' order by a.revision, a.stream, a.position)
               from skerry.append a where ${within} and a.revision >= b.first and a.revision <= b.last) as text
       from bounds b`,
    params.values,
  );
  return {
    text: `"actions":[${row?.text ?? ''}],"more":${row?.more === 'true'}`,
    end: row?.more === 'true' ? Number(row.last) : null,
    entries: Number(row?.entries ?? 0),
    bytes: Number(row?.bytes ?? 0),
  };
}
