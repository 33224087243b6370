// Comparisons: what a client holds of parts of tables, with the rows that it should hold at its cursor (docs/design.md,
// "Comparing"). All is read in one snapshot; the authority compares.

import { type Authority, requestProblem } from '../authority/authority.ts';
import { diffLimits } from '../base/diff-limits.ts';
import type { DiffPart, DiffResult, TablesOfScope } from '../base/wire-types.ts';
import type { Database, Queryable, Within } from '../db/database.ts';
import { readPage } from '../pull/pages.ts';
import { readHeads } from '../pull/reads.ts';
import { checkSubSelects } from '../pull/sub-selects.ts';
import { type Caller, readRights } from '../rights/rights.ts';
import { isEverything } from '../sql/filter-work.ts';
import { kMembers } from '../sql/members.ts';
import type { SqlSchema } from '../sql/tables.ts';
import type { CheckedDiff } from '../wire/diffs.ts';
import { hasChanged, readChanged } from './changed.ts';
import type { MendedRows } from './mended.ts';

export interface CompareOptions {
  readonly database: Database;
  readonly authority: Authority;
  readonly schema: SqlSchema;
  readonly mended: MendedRows;
}

/** What one realm has for a comparison: the client's revision, and the head. */
interface ComparedRealm {
  readonly cursor: number;
  readonly head: number;
}

interface Head {
  readonly head: number;
  readonly floor: number;
}

/** What a part asks for, in the order of the request: its place among the parts that are read, or the answer. */
type Placed = { readonly read: number } | { readonly said: DiffResult };

const kAgain: Placed = { said: { again: true } };
const kMore: Placed = { said: { more: true } };

export class Comparer {
  readonly #options: CompareOptions;

  constructor(options: CompareOptions) {
    this.#options = options;
  }

  /** The text of the answer. */
  async compare(user: Caller, request: CheckedDiff, within: Within = {}): Promise<string> {
    const { database, authority, mended } = this.#options;
    const scopes = await authority
      .checkScopes(request.scopes, request.schema, within.spent)
      .catch((error) => {
        throw requestProblem(error) ?? error;
      });
    const { now, placed, parts } = await database.transaction(
      { mode: 'snapshot', ...within },
      (tx) => this.#read(tx, user, request, scopes),
    );
    const asked = {
      schema: JSON.stringify(request.schema),
      scopes: JSON.stringify(request.scopes),
      parts: `[${parts.join(',')}]`,
    };
    const said = await authority.compare(asked, within.spent);
    const results = placed.map((one) =>
      'said' in one ? one.said : said[one.read],
    ) as DiffResult[];
    mended.look(request.parts, results);
    return JSON.stringify({ time: Number(now), tables: results });
  }

  /** Reads the parts, as long as there is time and room; the others are to be asked for again. */
  async #read(
    tx: Queryable,
    user: Caller,
    request: CheckedDiff,
    scopes: readonly TablesOfScope[],
  ): Promise<{ now: string; placed: Placed[]; parts: string[] }> {
    const rights = await readRights(tx, user);
    const named = [...new Set(request.parts.map(({ realm }) => realm))];
    const readable = named.filter((realm) => rights.has(realm));
    const asked = request.scopes.map((scope) => ({ ...(scope as object), filled: false }));
    await checkSubSelects(tx, this.#options.schema, asked, readable);
    const { now, realms, begunAgain } = await readHeads(tx, readable, request.cursors);
    const comparable = new Map<string, ComparedRealm>();
    for (const [realm, given] of Object.entries(realms)) {
      const { head, floor } = given as unknown as Head;
      const cursor = Number(request.cursors[realm]?.split('@', 1)[0] ?? 0);
      // Of a realm without a log, that of its beginning.
      const isGiven = request.cursors[realm] !== undefined && cursor <= head && cursor >= floor;
      if (isGiven && !begunAgain.has(realm)) comparable.set(realm, { cursor, head });
    }
    const placed: Placed[] = [];
    const parts: string[] = [];
    const left = { rows: diffLimits.rows, bytes: diffLimits.bytes };
    const began = performance.now();
    const goesOn = () => performance.now() - began < diffLimits.ms;
    for (const part of request.parts) {
      const realm = comparable.get(part.realm);
      const isOver = parts.length > 0 && (left.rows <= 0 || left.bytes <= 0 || !goesOn());
      if (realm === undefined || isOver) {
        placed.push(realm === undefined ? kAgain : kMore);
        continue;
      }
      const read = await this.#readPart(tx, part, realm, scopes, { ...left, goesOn });
      if (read === null) {
        placed.push(kAgain);
        continue;
      }
      left.rows -= read.rows;
      left.bytes -= read.bytes;
      placed.push({ read: parts.length });
      parts.push(read.text);
    }
    return { now, placed, parts };
  }

  /** Null: it cannot be compared before a pull. */
  async #readPart(
    tx: Queryable,
    part: DiffPart,
    { cursor, head }: ComparedRealm,
    scopes: readonly TablesOfScope[],
    most: { rows: number; bytes: number; goesOn: () => boolean },
  ): Promise<{ text: string; rows: number; bytes: number } | null> {
    const { schema } = this.#options;
    const { realm, table, above, upto } = part;
    const textOf = (page: string, changed: string) =>
      `{"part":${JSON.stringify(part)},"cursor":${cursor},${page.slice(1, -1)},"changed":[${changed}]}`;
    const none = '{"rows":[],"more":false}';
    const own = scopes.filter((scope) => scope.table === table);
    const wheres = table === kMembers ? [['true']] : own.map(({ where }) => where);
    // The authority says which tables it does not know.
    if (schema.get(table) === undefined || wheres.length === 0)
      return { text: textOf(none, ''), rows: 0, bytes: 0 };
    let changed = { text: '', bytes: 0 };
    if (cursor < head) {
      const inner = own.flatMap(({ tables }) => tables);
      const joins = own.some(({ tables }) => tables.length > 1);
      // What is in scope now may not have been at the cursor, by rows that did not change themselves.
      if (joins && (await hasChanged(tx, realm, inner, cursor))) return null;
      const read = await readChanged(tx, { realm, table, above, upto: upto ?? null, cursor });
      if (read === null) return null;
      changed = read;
    }
    const where = wheres.some(isEverything) ? ['true'] : ['or', ...wheres];
    const need = { table, realms: [realm], above, upto, limit: most.rows };
    const page = await readPage(
      tx,
      schema,
      { ...need, where: wheres.length === 1 ? wheres[0] : where },
      most,
    );
    const bytes = page.bytes + changed.bytes;
    return { text: textOf(page.text, changed.text), rows: page.rows, bytes };
  }
}
