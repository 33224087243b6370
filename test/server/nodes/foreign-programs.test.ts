// Goal: programs that people use write to the tables as they are used to, and clients follow: psql (with COPY), Drizzle, a script in Python,
// and all of it through pgbouncer, which gives each transaction another connection. Method: the real programs against a real server.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { doublePrecision, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DatabaseClients, findDatabaseClients } from '../../../tools/lib/database-clients.mjs';
import { startPgbouncer } from '../../../tools/lib/pgbouncer.mjs';
import type { Follower } from '../support/follower.ts';
import { ForeignWorld, filled } from '../support/foreign-world.ts';
import type { Json } from '../support/server.ts';

let world: ForeignWorld;
let clients: DatabaseClients;
let pooled: Awaited<ReturnType<typeof startPgbouncer>>;
const folder = mkdtempSync(join(tmpdir(), 'skerry-programs-'));
let follower: Follower;
beforeAll(async () => {
  world = await ForeignWorld.open();
  const found = await findDatabaseClients();
  if (found === undefined) throw new Error('Run `node tools/bootstrap.mjs --test` first.');
  clients = found;
  pooled = await startPgbouncer(clients, world.databaseUrl);
});
beforeEach(async () => {
  await world.write('delete from cities');
  follower = world.follower();
  await follower.follow();
});
afterAll(async () => {
  await pooled?.stop();
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

const known = (rows: ReadonlyMap<string, Json>) =>
  Object.fromEntries([...rows].map(([key, props]) => [key, filled(props)] as const).sort());

/** The follower has, after it has pulled, what the database has. */
async function follows(): Promise<Record<string, Json>> {
  await follower.follow();
  const rows = known(follower.rows);
  expect(rows).toEqual(known(await world.rows()));
  return rows;
}

/** Runs a program to its end; rejects with what it has printed if it fails. */
function run(program: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(program, args, { env: { ...process.env, ...clients.env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve(output) : reject(new Error(output))));
  });
}

const cities = pgTable('cities', {
  id: text().primaryKey(),
  realm: text().notNull(),
  name: text(),
  population: doublePrecision(),
  foundedOn: timestamp('founded_on', { withTimezone: true }),
  deletedAt: timestamp('deleted_at', { withTimezone: true }),
});

const kScript = `
import sys
import psycopg

with psycopg.connect(sys.argv[1]) as connection:
    with connection.transaction():
        connection.execute("select skerry.begin('public', 'nightly')")
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into cities (id, name, population) values (%s, %s, %s)",
                [(f"py {n}", f"Python {n}", n) for n in range(20)],
            )
    with connection.transaction():
        try:
            with connection.transaction():
                connection.execute("update cities set name = 'undone'")
                raise ValueError()
        except ValueError:
            pass
        connection.execute("update cities set population = population * 2 where population > %s", (9,))
        connection.execute("delete from cities where id = 'py 0'")
    with connection.cursor() as cursor:
        with cursor.copy("copy cities (id, realm, name) from stdin") as copy:
            for n in range(30):
                copy.write_row((f"copied {n}", "user:ada", f"Copied {n}"))
    connection.commit()
    rows = connection.execute("select count(*) from cities where deleted_at is null").fetchone()
    print(rows[0])
`;

describe.each(['directly', 'through pgbouncer'])('%s', (how) => {
  const url = () => (how === 'directly' ? world.databaseUrl : pooled.url);

  test('psql: statements, COPY, and a transaction that is rolled back', async () => {
    await run(
      clients.psql,
      [url(), '-v', 'ON_ERROR_STOP=1', '-q'],
      `begin;
       select skerry.begin('public', 'dba');
       insert into cities (id, name) values ('one', 'One'), ('two', 'Two');
       commit;
       begin; update cities set name = 'never'; rollback;
       update cities set population = 5 where id = 'two';
       copy cities (id, realm, name, population) from stdin;
a\tuser:ada\tAda\t1
b\tuser:ada\t\\N\t2
\\.
       delete from cities where id = 'one';
`,
    );
    expect(await follows()).toEqual({
      'public cities two': { name: 'Two', population: 5 },
      'user:ada cities a': { name: 'Ada', population: 1 },
      'user:ada cities b': { population: 2 },
    });
    await expect(
      run(clients.psql, [
        url(),
        '-v',
        'ON_ERROR_STOP=1',
        '-c',
        `insert into cities (id, name) values ('x', 'X')`,
      ]),
    ).rejects.toThrow('cities x: a row needs a realm.');
  });

  test('Drizzle: inserts, updates, upserts and transactions', async () => {
    const client = new Client(url());
    await client.connect();
    const database = drizzle({ client });
    try {
      await database.transaction(async (tx) => {
        await tx.execute(sql`select skerry.begin('public', 'drizzle')`);
        await tx.insert(cities).values([
          { id: 'd1', realm: 'public', name: 'One', foundedOn: new Date(1e12) },
          { id: 'd2', realm: 'public', name: 'Two' },
        ]);
        await tx.update(cities).set({ population: 7 }).where(eq(cities.id, 'd2'));
      });
      await database
        .insert(cities)
        .values({ id: 'd1', realm: 'public', name: 'Again' })
        .onConflictDoUpdate({ target: [cities.realm, cities.id], set: { name: 'Upserted' } });
      await expect(
        database.transaction(async (tx) => {
          await tx.delete(cities);
          throw new Error('mind changed');
        }),
      ).rejects.toThrow('mind changed');
      // It is the application's to say which level.
      await expect(
        database.transaction((tx) => tx.delete(cities), { isolationLevel: 'serializable' }),
      ).rejects.toMatchObject({ cause: { code: '0A000' } });
      await database.delete(cities).where(eq(cities.id, 'd2'));
      expect(await follows()).toEqual({
        'public cities d1': { name: 'Upserted', foundedOn: 1e12 },
      });
    } finally {
      await client.end();
    }
  });

  test('a script in Python: many rows, a savepoint, COPY', async () => {
    const script = join(folder, 'nightly.py');
    writeFileSync(script, kScript);
    expect((await run(clients.python, [script, url()])).trim()).toBe('49');
    const rows = await follows();
    expect(Object.keys(rows)).toHaveLength(49);
    expect(rows['public cities py 19']).toEqual({ name: 'Python 19', population: 38 });
  });
});

test('programs that share connections of pgbouncer do not share their settings', async () => {
  const all = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const client = new Client(pooled.url);
      await client.connect();
      return client;
    }),
  );
  await Promise.all(
    all.map(async (client, n) => {
      for (let round = 0; round < 10; round++) {
        await client.query('begin');
        const realm = n % 2 === 0 ? 'public' : 'user:ada';
        await client.query(`select skerry.begin('${realm}', 'actor ${n}')`);
        await client.query(`insert into cities (id, name) values ('p${n}.${round}', '${realm}')`);
        await client.query('commit');
        const refused = client.query(`insert into cities (id, name) values ('none', 'x')`);
        await expect(refused).rejects.toMatchObject({ code: '23502' });
      }
    }),
  );
  await Promise.all(all.map((client) => client.end()));
  const rows = await follows();
  expect(Object.keys(rows)).toHaveLength(60);
  for (const [key, { name }] of Object.entries(rows)) expect(key.startsWith(`${name} `)).toBe(true);
  const [row] = await world.server.sql.query(
    `select count(distinct l.user_id)::text as actors from skerry.log l where l.user_id like 'actor %'`,
  );
  expect(row).toEqual({ actors: '6' });
});
