// Goal: a prop that may not be null and has a default has the same value in SQL and in clients, whatever releases
// wrote its rows. Method: an empty database, and tables as older servers left them.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../../server/src/db/database.ts';
import { applySchema } from '../../server/src/sql/apply-schema.ts';
import type { SchemaDescription } from '../../server/src/sql/description.ts';
import { readNeeds } from '../../server/src/sql/rows.ts';
import { sqlSchema } from '../../server/src/sql/tables.ts';
import { openTestDatabase } from './support/database.ts';
import { rowNeeds } from './support/needs.ts';
import { testSchema } from './support/schemas.ts';
import { apply, full, makeEmpty, withCities, writeRows } from './support/typed-tables.ts';

let db: Database;

beforeAll(async () => {
  db = await openTestDatabase();
});
beforeEach(() => makeEmpty(db));
afterAll(() => db.close());

describe('a prop that may not be null and has a default', () => {
  const prio = { name: 'prio', type: 'number', optional: false, default: 3 };
  const grown = (more: object = {}) => withCities((props) => [...props, { ...prio, ...more }]);
  const prioOf = async () =>
    Object.fromEntries(
      (
        await db.query<{ id: string; prio: string | null }>(
          `select id, prio::text as prio from public.cities order by id`,
        )
      ).map((row) => [row.id, row.prio]),
    );
  /** The log of cities: realm, revision, id, and the `prio` of the row before. */
  const logged = () =>
    db.query(
      `select c.realm, c.revision::text as revision, c.id, c.before -> 'props' ->> 'prio' as prio, t.revision::text as now,
              (t.modified_at = skerry.from_ms(l.at))::text as stamped
         from skerry.change c join skerry.log l using (realm, revision) join public.cities t using (id)
        where c.table_name = 'cities' order by c.id`,
    );
  const follow = (schema: SchemaDescription, former: SchemaDescription) =>
    db.transaction({ mode: 'write' }, (tx) => applySchema(tx, schema, sqlSchema(schema), former));

  beforeEach(async () => {
    await db.query(
      `insert into skerry.realm (realm, epoch, head, at) values ('public', 'e', 57, 1), ('team', 'e', 57, 1)`,
    );
  });

  test('is in rows that a node of an older release writes', async () => {
    await apply(db, grown());
    await writeRows(db, [full]);
    expect(await prioOf()).toEqual({ Åre: '3' });
    await expect(db.query(`update public.cities set prio = null`)).rejects.toMatchObject({
      code: '23502',
    });
  });

  test('of every type is the value that SQL writes for a missing prop', async () => {
    const values: Record<string, unknown> = {
      string: `it's "\\e`,
      number: -0.1,
      boolean: false,
      date: -62135596800001,
      bytes: { $type: 'bytes', v: 'AP8=' },
      enum: 's',
      json: { b: [null, 1], a: "'" },
    };
    const all = withCities((props) => [
      ...props,
      ...Object.entries(values).map(([type, value]) => ({
        name: `x${type}`,
        type,
        optional: false,
        default: value,
        ...(type === 'enum' ? { enum: { type: null, values: ['s'] } } : {}),
      })),
    ]);
    await apply(db, testSchema);
    await writeRows(db, [full]);
    await apply(db, all);
    await writeRows(db, [{ ...full, id: 'b' }]);
    for (const id of ['Åre', 'b']) {
      const text = await readNeeds(
        db,
        sqlSchema(all),
        rowNeeds({ rows: [[full.realm, 'cities', id]] }),
      );
      const [row] = (JSON.parse(text) as { rows: { props: Record<string, unknown> }[] }).rows;
      for (const [type, value] of Object.entries(values)) {
        const wanted = type === 'bytes' ? 'AP8=' : value;
        expect(row?.props[`x${type}`], `${type} of ${id}`).toEqual(wanted);
      }
    }
  });

  test('starts from its default when an object is created again', async () => {
    await apply(
      db,
      withCities((props) => [...props, prio, { name: 'memo', type: 'string', optional: true }]),
    );
    await writeRows(db, [full, { ...full, id: 'b' }]);
    await db.query(`update public.cities set memo = 'kept', prio = 8`);
    await writeRows(db, [
      { ...full, createdAt: full.createdAt + 1 },
      { ...full, id: 'b', modifiedAt: 9 },
    ]);
    const memos = await db.query(`select id, memo from public.cities order by id`);
    expect(memos).toEqual([
      { id: 'b', memo: 'kept' },
      { id: 'Åre', memo: null },
    ]);
    expect(await prioOf()).toEqual({ Åre: '3', b: '8' });
  });

  test('replaces null from an older server by the shown value, and is logged', async () => {
    await apply(db, grown());
    await db.query(
      'alter table public.cities alter column prio drop not null, alter column prio drop default',
    );
    await writeRows(db, [
      full,
      { ...full, id: 'b', realm: 'team' },
      { ...full, id: 'gone', deletedAt: 5 } as never,
    ]);
    await db.query(
      `insert into public.cities select 'set', realm, revision, created_at, modified_at, deleted_at from public.cities where id = 'b'`,
    );
    await db.query(`update public.cities set prio = 8, name = 'n' where id = 'set'`);
    // The clients of the previous release showed 3 for null; this release changes the default.
    await follow(grown({ default: 5 }), grown());
    expect(await prioOf()).toEqual({ Åre: '3', b: '3', gone: '3', set: '8' });
    const row = { revision: '58', now: '58', prio: null, stamped: 'true' };
    expect(await logged()).toEqual([
      { realm: 'team', id: 'b', ...row },
      { realm: 'team', id: 'set', ...row },
      { realm: 'public', id: 'Åre', ...row },
    ]);
    const heads = await db.query(
      `select realm, head::text as head from skerry.realm order by realm`,
    );
    expect(heads).toEqual([
      { realm: 'public', head: '58' },
      { realm: 'team', head: '58' },
    ]);
    await writeRows(db, [{ ...full, id: 'late' }]);
    expect((await prioOf()).late).toBe('5');
  });

  test('is logged for null from an older server, even with the same default', async () => {
    await apply(db, grown());
    await db.query(
      'alter table public.cities alter column prio drop not null, alter column prio drop default',
    );
    await writeRows(db, [full]);
    await follow(grown(), grown());
    expect(await prioOf()).toEqual({ Åre: '3' });
    expect((await logged()).map(({ id, prio }) => [id, prio])).toEqual([['Åre', null]]);
    await follow(grown(), grown());
    expect((await logged()).length).toBe(1);
  });

  test('is logged once for rows with another value if it changes or comes back', async () => {
    await apply(db, grown());
    await writeRows(db, [full, { ...full, id: 'b', realm: 'team' }]);
    await db.query(`update public.cities set prio = 5 where id = 'b'`);
    await follow(grown({ default: 5 }), grown());
    expect((await logged()).map(({ id }) => id)).toEqual(['Åre']);
    await follow(grown({ default: 5 }), grown({ default: 5 }));
    expect((await logged()).length).toBe(1);
    // The previous release had dropped it: its clients know neither row.
    await follow(grown({ default: 5 }), testSchema);
    expect((await logged()).map(({ id }) => id)).toEqual(['Åre', 'Åre']);
    await follow(
      withCities((props) => [...props, { ...prio, optional: true }]),
      grown({ default: 5 }),
    );
    expect((await logged()).map(({ id }) => id)).toEqual(['b', 'Åre', 'Åre', 'Åre']);
    await expect(db.query(`update public.cities set prio = null`)).resolves.toEqual([]);
  });
});
