// Other programs write, delete and move rows without asking anybody. What follows by the rules of refs (cascade, setNull, touch,
// and that a row goes with its parent) is noted in skerry.owed by the transaction that writes (capture/), and done here afterwards, in
// entries of its own: nobody waits for it, and a ref to nothing is a fact until then. The rules are the authority's.
//
// It is done in parts: so many rows that are owed, with so many of the rows that refer to each. What is left, because it is too much
// or because another program has locked it, is owed again.

import { randomUUID } from 'node:crypto';
import { admit, type MoreRealms } from '../authority/admission.ts';
import { type Authority, rawObject } from '../authority/authority.ts';
import { foreignLimits } from '../base/foreign-limits.ts';
import { limits } from '../base/limits.ts';
import type { Metrics } from '../base/metrics.ts';
import type { AdmissionDone, RowNeeds } from '../base/wire-types.ts';
import { kNow } from '../db/clock.ts';
import { type Database, isLockTimeout, type Queryable } from '../db/database.ts';
import { type WrittenEntry, writeDone } from '../push/done.ts';
import { type LockedHeads, lockRealms } from '../push/locks.ts';
import type { SchemaDescription } from '../sql/description.ts';
import { kWriteOwn } from '../sql/own-writes.ts';
import { type RowKey, readNeeds } from '../sql/rows.ts';
import type { SqlSchema } from '../sql/tables.ts';
import { type LeftForLater, readChildren } from './children.ts';

/** Whose entries they are. */
const kAuthor = 'sql';

export interface ConsequencesParts {
  readonly database: Database;
  readonly authority: Authority;
  readonly description: SchemaDescription;
  readonly schema: SqlSchema;
  readonly committed: (entries: readonly WrittenEntry[]) => void;
  readonly metrics: Metrics;
  readonly log: (message: string, error: unknown) => void;
}

/** How much is done in one transaction. */
interface OwedPortion {
  /** Rows that are owed. */
  readonly rows: number;
  /** Rows that refer to each of them. */
  readonly children: number;
}

const kLargest: OwedPortion = {
  rows: foreignLimits.owedRows,
  children: foreignLimits.owedChildren,
};
/** For what has failed: the smallest portion, whose failure is its own. */
const kSmallest: OwedPortion = { rows: 1, children: 100 };

interface Written {
  readonly entries: readonly WrittenEntry[];
  /** Refs that a rule `restrict` would have kept. */
  readonly unmet: number;
}

interface OwedRows {
  readonly keys: readonly RowKey[];
  readonly now: number;
}

export class Consequences {
  readonly #parts: ConsequencesParts;
  readonly #targets = new Map<string, string>();
  #working: Promise<void> | null = null;
  #isWanted = false;
  #isClosed = false;
  /** So many portions are the smallest, since one has failed. */
  #small = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ConsequencesParts) {
    this.#parts = parts;
    for (const { name, props } of parts.description.tables) {
      for (const { name: prop, ref } of props) {
        if (ref !== undefined) this.#targets.set(`${name}\0${prop}`, ref.table);
      }
    }
  }

  /** Looks now, and from now on. */
  begin(): void {
    // Of a database in this process it is known when others have written.
    if (this.#parts.database.kind !== 'pglite') {
      this.#timer = setInterval(() => this.look(), foreignLimits.owedPollMs).unref();
    }
    this.look();
  }

  /** Looks for what is owed, and does it. */
  look(): void {
    this.#isWanted = true;
    if (this.#isClosed) return;
    this.#working ??= this.#workOff()
      .catch((error: unknown) =>
        this.#parts.log('What other programs have written could not be followed up.', error),
      )
      .finally(() => {
        this.#working = null;
      });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#working;
  }

  async #workOff(): Promise<void> {
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      while (!this.#isClosed && (await this.#portion()));
    }
  }

  /** Returns whether something was done, so that there may be more. */
  async #portion(): Promise<boolean> {
    const tried: RowKey[] = [];
    const portion = this.#small > 0 ? kSmallest : kLargest;
    if (this.#small > 0) this.#small--;
    try {
      return await this.#do(portion, tried);
    } catch (error) {
      if (tried.length === 0) throw error;
      if (portion === kLargest) {
        this.#small = kLargest.rows;
        return true;
      }
      // Another program has locked a row: it is left for later, as locked children are.
      if (!isLockTimeout(error)) this.#failed(tried, error);
      await owe(this.#parts.database, tried, foreignLimits.owedAgainMs);
      return true;
    }
  }

  #failed(tried: readonly RowKey[], error: unknown): void {
    this.#parts.log(
      `What follows from ${tried.map((key) => key.join(' ')).join(', ')}, which another program has written, could not be done. It is tried again later.`,
      error,
    );
  }

  /** `tried` gets the rows that are owed. */
  async #do(portion: OwedPortion, tried: RowKey[]): Promise<boolean> {
    const more = new Set<string>();
    for (let round = 0; round < limits.lockRounds; round++) {
      const outcome = await this.#parts.database.transaction({ mode: 'write' }, (tx) =>
        this.#run(tx, portion, more, tried),
      );
      if (outcome === null) return false;
      if ('entries' in outcome) {
        this.#parts.committed(outcome.entries);
        this.#parts.metrics.count('unmet_restricts', outcome.unmet);
        return true;
      }
      for (const realm of outcome.lock) more.add(realm);
    }
    throw new Error('The rows moved too often.');
  }

  async #run(
    tx: Queryable,
    portion: OwedPortion,
    more: ReadonlySet<string>,
    tried: RowKey[],
  ): Promise<MoreRealms | Written | null> {
    tried.length = 0;
    const realms = new Set([...(await owedRealms(tx)), ...more]);
    if (realms.size === 0) return null;
    const heads = await lockRealms(tx, realms, more.size > 0);
    const { keys, now } = await readOwed(tx, [...heads.keys()], portion.rows);
    if (keys.length === 0) return null;
    tried.push(...keys);
    const left: LeftForLater[] = [];
    const { authority, schema } = this.#parts;
    const targetOf = (table: string, prop: string) =>
      this.#targets.get(`${table}\0${prop}`) as string;
    const read = async (needs: RowNeeds) => {
      const children = await readChildren(tx, schema, needs.children, portion.children, targetOf);
      left.push(...children.left);
      const others = await readNeeds(tx, schema, { ...needs, children: [] });
      return withRows(others, children.rows);
    };
    const first = firstStep(keys, heads, now);
    const decided = await authority.admission((step) =>
      admit<AdmissionDone>(step, first, { read, rules: null }),
    );
    if ('lock' in decided) return decided;
    const { done, lists } = decided;
    await settle(tx, keys);
    for (const isLocked of [false, true]) {
      const again = left.filter((each) => each.isLocked === isLocked).map(({ key }) => key);
      await owe(tx, again, isLocked ? foreignLimits.owedAgainMs : 0);
    }
    await writeDone(tx, schema, { ...done, results: [] }, lists, {
      ...{ rights: new Map(), locked: heads.keys(), seen: [], blocked: [] },
    });
    const entries = done.touched.map((entry) => ({ ...entry, author: kAuthor }));
    return { entries, unmet: done.unmet ?? 0 };
  }
}

/** The text of a step, with more rows. */
function withRows(step: string, rows: readonly string[]): string {
  if (rows.length === 0) return step;
  const begin = '{"rows":[';
  if (!step.startsWith(begin)) throw new Error('A step has another form.');
  const rest = step.slice(begin.length);
  return `${begin}${rows.join(',')}${rest.startsWith(']') ? '' : ','}${rest}`;
}

function firstStep(keys: readonly RowKey[], heads: LockedHeads, now: number): string {
  const owed = { client: randomUUID(), user: kAuthor, update: randomUUID(), rows: keys };
  return rawObject({
    ...{ now: String(now), rights: '[]', requests: '[]' },
    realms: JSON.stringify(Object.fromEntries(heads)),
    owed: JSON.stringify(owed),
  });
}

/** Some of the realms in which something is owed. */
async function owedRealms(tx: Queryable): Promise<string[]> {
  const rows = await tx.query<{ realm: string }>(
    `select distinct o.realm from (
       select o.realm from skerry.owed o where o.due <= (select ${kNow}) order by o.due limit ${foreignLimits.owedRealms}) o`,
  );
  return rows.map(({ realm }) => realm);
}

async function readOwed(tx: Queryable, realms: readonly string[], most: number): Promise<OwedRows> {
  const [row] = await tx.query<{ now: string; keys: string }>(
    `select ${kWriteOwn} as mark, (${kNow})::text as now,
            (select coalesce(json_agg(json_build_array(o.realm, o.table_name, o.id)), '[]')
               from (select o.* from skerry.owed o
                      where o.due <= (select ${kNow}) and o.realm = any(array(select json_array_elements_text($1::text::json)))
                      order by o.due, o.realm, o.table_name, o.id limit ${most}) o)::text as keys`,
    [JSON.stringify(realms)],
  );
  if (row === undefined) throw new Error('A reading of what is owed returned no row.');
  return { keys: JSON.parse(row.keys) as RowKey[], now: Number(row.now) };
}

const asRecords = (keys: readonly RowKey[]) =>
  JSON.stringify(keys.map(([realm, table, id]) => ({ realm, table, id })));

async function settle(tx: Queryable, keys: readonly RowKey[]): Promise<void> {
  await tx.query(
    `delete from skerry.owed o using json_to_recordset($1::text::json) as k(realm text, "table" text, id text)
      where o.realm = k.realm and o.table_name = k."table" and o.id = k.id`,
    [asRecords(keys)],
  );
}

/** These are owed, but not before some time. */
async function owe(tx: Queryable, keys: readonly RowKey[], afterMs: number): Promise<void> {
  if (keys.length === 0) return;
  await tx.query(
    `insert into skerry.owed as o (realm, table_name, id, due)
     select distinct k.realm, k."table", k.id, ${afterMs === 0 ? '0' : `${kNow} + ${afterMs}`}
       from json_to_recordset($1::text::json) as k(realm text, "table" text, id text)
     on conflict (realm, table_name, id) do update set due = excluded.due`,
    [asRecords(keys)],
  );
}
