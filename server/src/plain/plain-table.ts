// A table for programs without the core: GET|POST /v1/tables/:table gives the rows that the caller may read, and on the
// next call, with the `lastUpdateTime` of the last answer, what has changed since.
//
// That time is opaque: it names, for each realm, the head that was read in the same snapshot as the rows. A clock's time
// would not do: what is committed late, with an earlier time, would be skipped for ever. While the first rows are still
// being handed over it also names the last id; what changes meanwhile comes afterwards, because the heads stay the first
// ones.

import type { User } from '../auth/auth.ts';
import { cutRows, rowBytes } from '../cost/row-bytes.ts';
import type { Database, Queryable } from '../db/database.ts';
import { isObject, type JsonObject } from '../http/body.ts';
import { Problem } from '../http/problem.ts';
import { limits } from '../limits.ts';
import { readRanges } from '../pull/ranges.ts';
import { quoteText } from '../sql/names.ts';
import { propsObject, type SqlSchema, type SqlTable } from '../sql/tables.ts';

/** What an opaque time says. */
interface Since {
  /** Per realm the last revision handed over, with its time, which tells whether it is of this history. */
  readonly heads: Readonly<Record<string, string>>;
  /** The last id of a first fill that goes on. */
  readonly above?: string;
}

export interface TableRequest {
  readonly lastUpdateTime: string | null;
  /** Ids to the `modifiedAt` that the caller has: left out of the answer while they are the same. */
  readonly exclude: Readonly<Record<string, number>>;
}

interface Head {
  readonly realm: string;
  readonly head: string;
  readonly at: string;
}

const kMaxTimeCharacters = 64 << 10;

export function parseTableRequest(time: unknown, exclude: unknown): TableRequest {
  if (time !== undefined && time !== null && typeof time !== 'string') {
    throw new Problem('bad_request', '`lastUpdateTime` is not a text.');
  }
  if (exclude !== undefined && !isObject(exclude)) {
    throw new Problem('bad_request', '`exclude` is not an object of ids and times.');
  }
  const entries = Object.entries(exclude ?? {});
  if (entries.length > limits.tableRows || entries.some(([, at]) => typeof at !== 'number')) {
    throw new Problem('bad_request', '`exclude` is too long, or holds something else than times.');
  }
  return {
    lastUpdateTime: time ?? null,
    exclude: Object.fromEntries(entries) as Record<string, number>,
  };
}

function decode(text: string | null): Since | null {
  if (text === null || text === '') return null;
  const wrong = () => new Problem('bad_request', '`lastUpdateTime` is not one of this server.');
  if (text.length > kMaxTimeCharacters) throw wrong();
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch (error) {
    if (error instanceof SyntaxError) throw wrong();
    throw error;
  }
  if (!isObject(value) || !isObject(value.heads)) throw wrong();
  const fits = Object.values(value.heads).every((head) => /^\d{1,15}@\d{1,15}$/.test(String(head)));
  if (!fits || !['string', 'undefined'].includes(typeof value.above)) throw wrong();
  return value as unknown as Since;
}

function encode(since: Since): string {
  return Buffer.from(JSON.stringify(since)).toString('base64url');
}

async function readHeads(tx: Queryable, user: User): Promise<readonly Head[]> {
  return tx.query<Head>(
    `select r.realm, r.head::text as head, r.at::text as at from skerry.realm r
      where r.realm in (select k.realm from json_array_elements_text($1::text::json) as k(realm))`,
    [JSON.stringify([...user.realms.keys()])],
  );
}

/** The realms whose heads of last time are not of this history: their rows are given anew. */
async function strangers(tx: Queryable, since: Since): Promise<ReadonlySet<string>> {
  const known = Object.entries(since.heads).map(([realm, head]) => {
    const [revision, at] = head.split('@');
    return { realm, revision: Number(revision), at: Number(at) };
  });
  const rows = await tx.query<{ realm: string }>(
    `select k.realm from json_to_recordset($1::text::json) as k(realm text, revision bigint, at bigint)
      where k.revision > 0 and not exists (
        select 1 from skerry.log l where l.realm = k.realm and l.revision = k.revision and l.at = k.at)`,
    [JSON.stringify(known)],
  );
  return new Set(rows.map(({ realm }) => realm));
}

function rowObject(table: SqlTable, alias: string): string {
  return `json_build_object('id', ${alias}.id, 'realm', ${alias}.realm, 'createdAt', skerry.to_ms(${alias}.created_at),
    'modifiedAt', skerry.to_ms(${alias}.modified_at), 'revision', ${alias}.revision, 'props', ${propsObject(table, alias)})`;
}

export class PlainTables {
  readonly #database: Database;
  readonly #schema: SqlSchema;

  constructor(database: Database, schema: SqlSchema) {
    this.#database = database;
    this.#schema = schema;
  }

  async read(user: User, name: string, request: TableRequest): Promise<JsonObject> {
    const table = this.#schema.get(name);
    if (table === undefined) throw new Problem('not_found', 'There is no such table.');
    const since = decode(request.lastUpdateTime);
    const answer = await this.#database.transaction({ mode: 'snapshot' }, async (tx) => {
      const heads = await readHeads(tx, user);
      const reset = since === null ? new Set<string>() : await strangers(tx, since);
      const isNew = since === null || reset.size > 0;
      if (!isNew && since.above === undefined) {
        const changes = await this.#changes(tx, table, user, heads, since);
        if (changes !== null) return { ...changes, reset: false };
      }
      // Also where one entry has changed more than an answer may hold.
      const goesOn = !isNew && since.above !== undefined;
      const from = goesOn ? since : { heads: headsOf(heads), above: '' };
      return { ...(await this.#fill(tx, table, user, from)), reset: since !== null && !goesOn };
    });
    const { exclude } = request;
    const rows = answer.rows.filter(({ id, modifiedAt }) => exclude[String(id)] !== modifiedAt);
    return { ...answer, time: Date.now(), rows };
  }

  /** A page of all rows, by id. */
  async #fill(tx: Queryable, table: SqlTable, user: User, since: Since) {
    const rows = await tx.query<{ row: string; found: string }>(
      `with page as (
         select t.* from ${table.name} t
          where t.deleted_at is null and t.id > $2::text collate "C"
            and t.realm in (select k.realm from json_array_elements_text($1::text::json) as k(realm))
          order by t.id limit ${limits.tableRows + 1})
       select (${rowObject(table, 'p')})::text as row, (select count(*) from page)::text as found
         from (${cutRows(table, 'page', limits.tableRows, String(limits.readBytes))}) p order by p.id`,
      [JSON.stringify([...user.realms.keys()]), since.above ?? ''],
    );
    const page = rows.map(({ row }) => JSON.parse(row) as JsonObject);
    const more = Number(rows[0]?.found ?? 0) > rows.length;
    const next: Since = more
      ? { heads: since.heads, above: String(page.at(-1)?.id) }
      : { heads: since.heads };
    return { rows: page, deleted: [] as string[], more, lastUpdateTime: encode(next) };
  }

  /** What entries above the heads of last time have touched, as it is now; null: that is too much for an answer. */
  async #changes(tx: Queryable, table: SqlTable, user: User, heads: readonly Head[], since: Since) {
    const needs = heads.map(({ realm }) => ({
      realm,
      from: Number((since.heads[realm] ?? '0@0').split('@')[0]),
      limit: limits.entriesPerPull + 1, // one is that of last time
      client: null,
    }));
    const { ranges } = await readRanges(tx, needs, {
      changes: limits.tableRows,
      bytes: limits.readBytes,
      isUntold: false,
    });
    if (ranges.some(({ isUntold }) => isUntold)) return null;
    const touched = ranges.filter(({ entries }) => entries > 0);
    const ends = await tx.query<{ realm: string; head: string }>(
      `select l.realm, l.revision || '@' || l.at as head
         from json_to_recordset($1::text::json) as k(realm text, upto bigint)
         join skerry.log l on l.realm = k.realm and l.revision = k.upto`,
      [JSON.stringify(touched.map(({ realm, upto }) => ({ realm, upto })))],
    );
    const [found] = await tx.query<{ bytes: string; rows: string | null }>(
      `with found as (
         select x.id as x_id, t.*
           from (select distinct c.id from json_to_recordset($1::text::json) as k(realm text, "from" bigint, upto bigint)
                   join skerry.change c on c.realm = k.realm and c.table_name = ${quoteText(table.table)}
                    and c.revision > k."from" and c.revision <= k.upto) x
           left join ${table.name} t on t.id = x.id and t.deleted_at is null
            and t.realm in (select r.realm from json_array_elements_text($2::text::json) as r(realm))),
       whole as (
         select coalesce(sum(case when f.id is not null then ${rowBytes(table, 'f')} end), 0) as bytes from found f)
       select w.bytes::text as bytes, case when w.bytes <= ${limits.entryBytes} then (
         select json_agg(json_build_object('id', f.x_id, 'row', case when f.id is null then null else ${rowObject(table, 'f')} end)
                         order by f.x_id)::text from found f) end as rows
         from whole w`,
      [JSON.stringify(touched), JSON.stringify([...user.realms.keys()])],
    );
    if (Number(found?.bytes ?? 0) > limits.entryBytes) return null;
    const rows = JSON.parse(found?.rows ?? '[]') as { id: string; row: JsonObject | null }[];
    const upto = ends.map(({ realm, head }) => [realm, head]);
    const head = new Map(heads.map((one) => [one.realm, one.head]));
    return {
      rows: rows.flatMap(({ row }) => (row === null ? [] : [row])),
      deleted: rows.flatMap(({ id, row }) => (row === null ? [id] : [])),
      more: ranges.some((range) => Number(range.upto) < Number(head.get(range.realm))),
      lastUpdateTime: encode({ heads: { ...since.heads, ...Object.fromEntries(upto) } }),
    };
  }
}

function headsOf(heads: readonly Head[]): Record<string, string> {
  return Object.fromEntries(heads.map(({ realm, head, at }) => [realm, `${head}@${at}`]));
}
