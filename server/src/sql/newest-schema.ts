// The newest schema that a database has been served with applies to all nodes. A node of an older release that
// restarts, or that still runs beside the new one, serves the newest, too, so that no node writes rows, or records of
// them, without the props that others know. The newest schema is stored in skerry.meta, and its version never
// decreases.

import { Problem } from '../base/problem.ts';
import { type Database, type Queryable, sqlState } from '../db/database.ts';
import type { PropDescription, SchemaDescription, TableDescription } from './description.ts';
import { findNamed } from './former-names.ts';
import { withMembers } from './members.ts';
import { readMeta, writeMeta } from './meta.ts';

const kNewest = 'newest_schema';
const kVersion = 'newest_version';
/** The record of earlier servers: the schema of the last start, whichever it was. */
const kLastStarted = 'schema';

export async function readNewest(tx: Queryable): Promise<SchemaDescription | null> {
  const text = (await readMeta(tx, kNewest)) ?? (await readMeta(tx, kLastStarted));
  return text === null ? null : withMembers(JSON.parse(text) as SchemaDescription);
}

export async function writeNewest(tx: Queryable, schema: SchemaDescription): Promise<void> {
  const text = JSON.stringify(schema);
  await writeMeta(tx, kNewest, text);
  await writeMeta(tx, kLastStarted, text);
  await writeMeta(tx, kVersion, String(schema.version));
}

/** A prop that only an older release has: clients of the newest leave it out when they create rows. */
function left(prop: PropDescription): PropDescription {
  return prop.optional === true || prop.default != null ? prop : { ...prop, optional: true };
}

function widened(newest: TableDescription, own: TableDescription | undefined): TableDescription {
  const more = (own?.props ?? []).filter(({ name }) => !findNamed(newest.props, name));
  return more.length === 0 ? newest : { ...newest, props: [...newest.props, ...more.map(left)] };
}

/** The newest schema, with the tables and props that only the older one has, for the clients of both. */
export function widenedBy(newest: SchemaDescription, own: SchemaDescription): SchemaDescription {
  const accepts = new Set([...(newest.accepts ?? []), ...(own.accepts ?? []), own.version]);
  accepts.delete(newest.version);
  return {
    ...newest,
    accepts: [...accepts],
    tables: [
      ...newest.tables.map((table) =>
        widened(
          table,
          own.tables.find(({ name }) => findNamed(newest.tables, name) === table),
        ),
      ),
      ...own.tables.filter(({ name }) => !findNamed(newest.tables, name)),
    ],
  };
}

/**
 * The database for a node that serves this version. Once another node has served a newer version, its snapshots, and
 * its writes (`fence`), fail with `busy`, and `outdated` is called.
 */
export function fenced(database: Database, version: number, outdated: () => void): Database {
  const fence = async (tx: Queryable) => {
    const [newest] = await tx.query<{ value: string }>(
      `select value from skerry.meta where key = '${kVersion}'`,
    );
    if (newest === undefined || Number(newest.value) <= version) return;
    outdated();
    throw new Problem('busy', 'This server is about to restart with a newer schema.');
  };
  return {
    kind: database.kind,
    query: (sql, params, options) => database.query(sql, params, options),
    execute: (sql) => database.execute(sql),
    transaction: async (options, work) => {
      try {
        return await database.transaction(options, async (tx) => {
          if (options.mode !== 'snapshot') return work(tx);
          const [, value] = await Promise.all([fence(tx), work(tx)]);
          return value;
        });
      } catch (error) {
        // The newer schema may have renamed what this one asks for; a later statement of the transaction says only that it failed.
        if (/^(42703|42P01|42883|25P02)$/.test(sqlState(error))) await fence(database);
        throw error;
      }
    },
    fence,
    close: () => database.close(),
  };
}
