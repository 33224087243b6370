// Goal: tables of every form that databases have are adopted, or refused by name, and no write of either side is lost or undone by the other.
// Method: the real command on tables like those of the sample databases that people know (composite keys, views, generated columns, enums,
// domains, arrays, texts to search, partitions, triggers), then a server, clients, and SQL beside them.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { AdoptedApp, rowsIn } from '../support/adopting.ts';
import type { Follower } from '../support/follower.ts';
import { type Json, uuid7, type WireClient } from '../support/server.ts';

const kTables = `
  create type rating as enum ('G', 'PG-13');
  create domain year as integer check (value between 1901 and 2155);
  create domain rated as rating;
  create domain named as text not null check (value <> '');

  create table films (
    film_id integer primary key, title named, released year, rated rated default 'G', price numeric(4, 2) not null default 4.99,
    views bigint, seen timestamptz, shown timestamp(3), tags text[], search tsvector, length interval,
    words integer generated always as (char_length(title)) stored, made bigint generated always as identity,
    code character(5), guid uuid not null default gen_random_uuid(), raw bytea, created_at timestamptz not null default now(),
    "updatedAt" timestamptz, "größe" integer);
  create function search() returns trigger language plpgsql as $$ begin
    new.search := to_tsvector('english', new.title); new."updatedAt" := '2020-01-01Z'; return new; end $$;
  create trigger search before insert or update on films for each row execute function search();
  create table customers (customer_id varchar(5) primary key, company text not null, rival varchar(5) references customers);
  create table profiles (customer_id varchar(5) primary key references customers on delete cascade, motto text);
  create table "user" (id uuid primary key default gen_random_uuid(), name text);
  create table stock (film integer references films, place integer, primary key (film, place));
  create table needing (id serial primary key, words tsvector not null);
  create view shown as select * from films;
  create materialized view counted as select count(*) from films;
  create table payments (id integer, at date, primary key (id, at)) partition by range (at);
  create table payments_2022 partition of payments for values from ('2022-01-01') to ('2023-01-01');
  create table animals (id serial primary key); create table cats (lives integer) inherits (animals);
  create unlogged table scratch (id serial primary key);
  create table ruled (id serial primary key); create rule nothing as on delete to ruled do instead nothing;
  create table hidden (id serial primary key); alter table hidden force row level security;
  create table alike (id serial primary key, user_id uuid references "user", "user" text);
  create table chain (id serial primary key, above integer references chain);
  create table "Order Details" (id serial primary key);
  insert into films (film_id, title, views, seen) values (1, 'Metropolis', 9007199254740993, '2021-01-02 03:04:05.678901Z');
  insert into customers values ('ALFKI', 'Alfreds', null), ('BONAP', 'Bon app', 'ALFKI');
  insert into profiles values ('ALFKI', 'first');
  insert into "user" (name) values ('Ada')`;

let app: AdoptedApp;
beforeAll(async () => {
  app = await AdoptedApp.open(kTables);
});
afterAll(() => app?.close());

test.each([
  ['payments=public', 'payments is partitioned: only ordinary tables can be adopted.'],
  ['payments_2022=public', 'payments_2022 is a partition: only ordinary tables can be adopted.'],
  ['shown=public', 'shown is a view: only ordinary tables can be adopted.'],
  ['counted=public', 'counted is a materialized view: only ordinary tables can be adopted.'],
  ['animals=public', 'animals has tables that inherit from it'],
  ['scratch=public', 'scratch is unlogged'],
  ['ruled=public', 'ruled has rules (create rule)'],
  ['hidden=public', 'hidden has FORCE ROW LEVEL SECURITY'],
  ['stock=public', 'stock has a primary key of several columns (film, place)'],
  ['Order Details=public', 'Order Details cannot be a name in a schema'],
  ['chain=above', 'chain: the realm of its rows would be that of its own rows.'],
  [
    'needing=public',
    'needing.words is of the type tsvector, which no prop can hold, and a new row needs it.',
  ],
  ['films=size:{words}', 'films.words is computed: what clients write could not change it'],
])('%s is refused by name, before anything is touched', async (table, sentence) => {
  const { code, said } = await app.adopt([table]);
  expect(said).toContain(sentence);
  expect(said).toContain('Nothing was changed.');
  expect(code).toBe(1);
  expect(await app.rows(`select to_regnamespace('skerry') is null as clean`)).toEqual([
    { clean: true },
  ]);
});

test('columns that would be the same prop, and tables named twice, are refused', async () => {
  expect((await app.adopt(['user=public', 'alike=public'])).said).toContain(
    'alike: the columns user_id and user would both be the prop user: rename one.',
  );
  expect((await app.adopt(['user=public', 'user=public'])).said).toContain('user is named twice.');
});

test('nothing is adopted if the schema cannot be written', async () => {
  const { code, said } = await app.run(
    ...['--table', 'films', '--realm-from', 'public', '--schema', '/nowhere/schema.mjs'],
  );
  expect(said).toContain('--schema /nowhere/schema.mjs cannot be written');
  expect(code).toBe(1);
  expect(await app.rows(`select to_regnamespace('skerry') is null as clean`)).toEqual([
    { clean: true },
  ]);
});

test('the others are adopted, and it is said what clients do not get', async () => {
  const { code, said } = await app.adopt([
    ...['films=public', 'customers=public', 'profiles=public', 'user=user:{id}'],
  ]);
  expect(said.split('\n')).toEqual(
    expect.arrayContaining([
      'films.tags is of the type text[], which no prop can hold: clients do not get it.',
      'films.search is of the type tsvector, which no prop can hold: clients do not get it.',
      'films.length is of the type interval, which no prop can hold: clients do not get it.',
      'films.words is computed: clients do not get it.',
      'films.made is computed: clients do not get it.',
      'films.größe has a name that no prop can have: clients do not get it.',
      'films.created_at is the prop createdAt_: every row has a createdAt of its own.',
      'user is user_ in the schema, where its own name has another meaning.',
    ]),
  );
  expect(code).toBe(0);
  expect(app.schemaText).toBe(`import { schema, t, table } from 'skerry';

export default schema(
  {
    films: table({
      filmId: t.number(),
      title: t.string(),
      released: t.number().optional(),
      rated: t.enum(["G","PG-13"]).optional(),
      price: t.number().optional(),
      views: t.number().optional(),
      seen: t.date().optional(),
      shown: t.date().optional(),
      code: t.string().optional(),
      guid: t.string().optional(),
      raw: t.bytes().optional(),
      createdAt_: t.date().optional(),
      updatedAt: t.date().optional(),
    }),
    customers: table({
      customerId: t.string(),
      company: t.string(),
      rival: t.ref("customers", { onDelete: 'restrict' }).optional(),
    }),
    profiles: table({
      customer: t.ref("customers", { onDelete: 'cascade' }),
      motto: t.string().optional(),
    }),
    user_: table({
      name: t.string().optional(),
    }),
  },
  { version: 1 },
);
`);
});

let follower: Follower;
let client: WireClient;
/** That of the schema that is served. */
let version = 1;
const found = async (table: string, fits: (props: Json) => boolean) => {
  await follower.follow({ schema: version });
  const [entry] = [...rowsIn(follower, table)].filter(([, props]) => fits(props));
  return entry === undefined ? undefined : { id: entry[0], ...entry[1] };
};

test('a client creates rows that have keys of their own, and defaults of the database', async () => {
  await app.start();
  follower = app.follower('ada', ['films', 'customers', 'profiles']);
  client = app.client('ada');
  const [realm, film, customer] = ['public', uuid7(), uuid7()];
  const made = await client.push([
    { op: 'create', table: 'films', id: film, realm, set: { filmId: 2, title: 'Nosferatu' } },
    {
      ...{ op: 'create', table: 'customers', id: customer, realm },
      set: { customerId: 'CONSH', company: 'Consolidated' },
    },
    { op: 'create', table: 'profiles', id: uuid7(), realm, set: { customer, motto: 'new' } },
  ]);
  expect(made).toMatchObject({ status: 'applied' });
  expect(
    await app.rows(
      `select title, price, rated, guid is not null as has_guid, search::text, words from films where film_id = 2`,
    ),
  ).toEqual([
    ...[{ title: 'Nosferatu', price: '4.99', rated: 'G', has_guid: true }].map((row) => ({
      ...row,
      ...{ search: `'nosferatu':1`, words: 9 },
    })),
  ]);
  expect(await found('films', ({ filmId }) => filmId === 2)).toMatchObject({
    ...{ price: 4.99, rated: 'G', updatedAt: Date.UTC(2020, 0, 1) },
  });
  expect(await app.rows(`select motto from profiles where customer_id = 'CONSH'`)).toEqual([
    { motto: 'new' },
  ]);
});

test('an edit of one column leaves digits of others that clients do not have', async () => {
  const film = await found('films', ({ filmId }) => filmId === 1);
  const edit = { op: 'update', table: 'films', id: film?.id, realm: 'public' };
  expect(await client.push([{ ...edit, set: { released: 1927 } }])).toMatchObject({
    status: 'applied',
  });
  expect(
    await app.rows(`select released, views::text, seen::text from films where film_id = 1`),
  ).toMatchObject([{ released: 1927, views: '9007199254740993' }]);
  const [row] = await app.rows(
    `select extract(microseconds from seen)::int as digits from films where film_id = 1`,
  );
  expect(row).toEqual({ digits: 5_678_901 });
  const beyond = await client.pushUntilSettled([{ ...edit, set: { released: 1800 } }]);
  expect(beyond).toMatchObject({ status: 'rejected' });
});

test('a second adoption adds to the first, and both are logged', async () => {
  await app.stop();
  await app.sql.query(`
    create table public.rentals (id serial primary key, film_id integer not null references films, customer varchar(5) references customers,
      note text);
    insert into rentals (film_id, customer) values (1, 'ALFKI')`);
  const first = app.schemaText;
  expect((await app.adopt(['rentals=public'])).said).toContain('there is such a file already');
  app.removeSchema();
  expect(await app.adopt(['rentals=public'])).toEqual({
    code: 0,
    said: expect.stringContaining('Adopted rentals'),
  });
  expect(app.schemaText).toBe(
    first.replace('version: 1', 'version: 2').replace(
      '    }),\n  },\n',
      `    }),
    rentals: table({
      film: t.ref("films", { onDelete: 'restrict' }),
      customer: t.ref("customers", { onDelete: 'restrict' }).optional(),
      note: t.string().optional(),
    }),
  },
`,
    ),
  );
  await app.sql.query(`select skerry.changed('films'), skerry.changed('rentals')`);
  version = 2;
  await app.start();
  follower = app.follower('ada', ['films', 'customers', 'rentals']);
  const film = await found('films', ({ filmId }) => filmId === 1);
  expect(await found('rentals', () => true)).toMatchObject({ film: film?.id });
  await app.sql.query(`update rentals set note = 'by SQL'`);
  expect(await found('rentals', () => true)).toMatchObject({ note: 'by SQL' });
  expect((await app.adopt(['rentals=public'])).said).toContain('adopted');
});

test('what others need is not taken back alone, and what stays goes on', async () => {
  await app.stop();
  expect((await app.adopt(['films'], '--undo')).said).toContain(
    'films: rows of rentals refer to its rows. Take back rentals, too.\nNothing was changed.',
  );
  expect(await app.adopt(['rentals', 'profiles'], '--undo')).toMatchObject({ code: 0 });
  await app.sql.query(`
    update films set title = 'M' where film_id = 1; delete from films where film_id = 2;
    delete from rentals; delete from films where film_id = 1;
    delete from customers where customer_id = 'CONSH'`);
  app.removeSchema();
  await app.sql.query('create table public.later (id serial primary key, name text)');
  // The schema of all that is adopted is written again.
  expect(await app.adopt(['later=public'])).toMatchObject({ code: 0 });
  expect(app.schemaText).not.toMatch(/rentals|profiles/);
  version = 3;
  await app.start();
  follower = app.follower('ada', ['films', 'customers', 'later']);
  await follower.follow({ schema: version });
  expect(rowsIn(follower, 'films').size).toBe(0);
  expect([...rowsIn(follower, 'customers').values()].map(({ customerId }) => customerId)).toEqual(
    expect.arrayContaining(['ALFKI', 'BONAP']),
  );
});
