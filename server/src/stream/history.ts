// GET /v1/streams/:realm/:stream: the history of one stream, page by page back from its end.

import { limits } from '../base/limits.ts';
import { Problem } from '../base/problem.ts';
import { Params, type Queryable } from '../db/database.ts';
import { kActionMembers } from './actions.ts';

/** Which page: at most `limit` actions before one, or the last ones. */
export interface HistoryRequest {
  readonly before: { readonly revision: number; readonly position: number } | null;
  readonly limit: number;
}

/** `before`: a revision, or `revision.position`. */
export function parseHistory(
  before: string | undefined,
  limit: string | undefined,
): HistoryRequest {
  const place = /^(\d{1,15})(?:\.(\d{1,9}))?$/.exec(before ?? '0');
  if (place === null) throw new Problem('bad_request', '`before` is no place in a stream.');
  const count = limit === undefined ? limits.historyDefault : Number(limit);
  if (!Number.isInteger(count) || count < 1)
    throw new Problem('bad_request', '`limit` is no number of actions.');
  return {
    before:
      before === undefined ? null : { revision: Number(place[1]), position: Number(place[2] ?? 0) },
    limit: Math.min(count, limits.historyActions),
  };
}

/** `{"actions":[{"revision","position","id","name","arg","at","madeAt","author"}],"more":bool}`, in ascending order. */
export async function readHistory(
  tx: Queryable,
  realm: string,
  stream: string,
  { before, limit }: HistoryRequest,
): Promise<string> {
  const params = new Params();
  const within = `a.realm = ${params.add(realm)} collate "C" and a.stream = ${params.add(stream)} collate "C"`;
  const isBefore =
    before === null
      ? 'true'
      : `(a.revision, a.position) < (${params.add(String(before.revision))}::bigint, ${params.add(String(before.position))}::integer)`;
  const [row] = await tx.query<{ text: string | null; found: string; taken: string }>(
    `with found as (
       select a.revision, a.position, a.bytes from skerry.append a
        where ${within} and ${isBefore}
        order by a.revision desc, a.position desc limit ${limit + 1}),
     placed as (
       select f.*, row_number() over w as place, sum(f.bytes) over w as upto_bytes from found f
       window w as (order by f.revision desc, f.position desc)),
     taken as (
       select p.* from placed p
        where p.place = 1 or (p.place <= ${limit} and p.upto_bytes <= ${limits.streamBytes}))
     select (select count(*) from found)::text as found, count(*)::text as taken,
            string_agg(json_build_object('revision', a.revision, 'position', a.position, ${kActionMembers})::text,
              ',' order by a.revision, a.position) as text
       from taken t
       join skerry.append a on ${within} and a.revision = t.revision and a.position = t.position`,
    params.values,
  );
  const more = Number(row?.found ?? 0) > Number(row?.taken ?? 0);
  return `{"actions":[${row?.text ?? ''}],"more":${more}}`;
}
