// Goal: what no client could read, and what could not be logged, is refused by a sentence that names table and row; the rest of
// the database's rules stay the program's. Method: a table of statements, each at a limit and one above.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { foreignLimits } from '../../server/src/base/foreign-limits.ts';
import { ForeignWorld } from './support/foreign-world.ts';
import { uuid7 } from './support/server.ts';

let world: ForeignWorld;
beforeAll(async () => {
  world = await ForeignWorld.open();
});
afterAll(() => world.close());

/** SQLSTATE and sentence of the error of a transaction; null: it was committed. */
async function outcome(...statements: readonly string[]): Promise<string | null> {
  try {
    await world.write(...statements);
    return null;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return `${code} ${message}`;
  }
}

const city = (column: string, value: string, id = uuid7()) =>
  `insert into cities (id, realm, name, "${column}") values ('${id}', 'public', 'x', ${value})`;
const nested = (depth: number) => `'${'['.repeat(depth)}${']'.repeat(depth)}'`;
/** A city whose props have so many bytes as JSON: its other members and null columns are the rest. */
const ofBytes = (bytes: number) => {
  const rest = JSON.stringify({
    ...{ name: 'x', country: '', population: null, capital: null, foundedOn: null },
    ...{ flag: null, size: null, extra: null, code: null, revision: null },
  }).length;
  return city('country', `repeat('y', ${bytes - rest})`);
};

describe('a row is written, or refused', () => {
  const no = (code: string, sentence: string) => ({ code, sentence });
  test.each([
    ['a realm', `insert into cities (id, realm, name) values ('a', 'public', 'x')`, null],
    [
      'no realm',
      `insert into cities (id, name) values ('b', 'x')`,
      no('23502', 'cities b: a row needs a realm.'),
    ],
    [
      'a realm that is null',
      `insert into cities (id, realm, name) values ('b', null, 'x')`,
      no('23502', 'cities b: a row needs a realm.'),
    ],
    [
      'an empty realm',
      `insert into cities (id, realm, name) values ('b', '', 'x')`,
      no('23502', 'cities b: a row needs a realm.'),
    ],
    [
      'a realm that nobody founded',
      `insert into cities (id, realm, name) values ('b', '${uuid7()}', 'x')`,
      no('23503', 'does not exist'),
    ],
    [
      'a realm of 128 bytes',
      `insert into cities (id, realm, name) values ('b', repeat('r', 128), 'x')`,
      null,
    ],
    [
      'a realm of 129 bytes',
      `insert into cities (id, realm, name) values ('c', repeat('r', 129), 'x')`,
      no('22023', '1 to 128 bytes'),
    ],
    [
      'a realm with a control character',
      `insert into cities (id, realm, name) values ('c', E'a\\u0085', 'x')`,
      no('22023', 'no control characters'),
    ],
    ['an id of 128 bytes', city('country', `'x'`, 'i'.repeat(128)), null],
    [
      'an id of 129 bytes',
      city('country', `'x'`, 'i'.repeat(129)),
      no('22023', 'cities: an id is text of 1 to 128 bytes'),
    ],
    ['an empty id', city('country', `'x'`, ''), no('22023', 'an id is text of 1 to 128 bytes')],
    [
      'an id that is no UUID',
      `insert into user_groups (id, realm, name) values ('A', 'public', 'x')`,
      no('22023', 'userGroups: an id is a UUID in lower case'),
    ],
    [
      'an id in upper case',
      `insert into user_groups (id, realm, name) values ('${uuid7().toUpperCase()}', 'public', 'x')`,
      no('22023', 'a UUID in lower case'),
    ],
    ['a finite number', city('population', '1.7976931348623157e308'), null],
    ['NaN', city('population', `'NaN'`), no('22023', 'population is not a finite number')],
    [
      'infinity',
      city('population', `'-Infinity'`),
      no('22023', 'population is not a finite number'),
    ],
    ['the last time of JavaScript', city('founded_on', `'275760-09-13 00:00:00Z'`), null],
    [
      'a millisecond later',
      city('founded_on', `'275760-09-13 00:00:00.001Z'`),
      no('22023', 'foundedOn is a time that JavaScript does not have'),
    ],
    ['a time without end', city('founded_on', `'infinity'`), no('22023', 'foundedOn is a time')],
    ['the first time', city('founded_on', `'4713-01-01 00:00:00Z BC'`), null],
    ['JSON of depth 56', city('extra', nested(foreignLimits.valueDepth)), null],
    [
      'JSON of depth 57',
      city('extra', nested(foreignLimits.valueDepth + 1)),
      no('22023', 'extra is nested deeper than 56'),
    ],
    ['a half surrogate pair', city('extra', `'"\\ud800"'`), no('22023', 'extra cannot be read')],
    ['U+0000 in JSON', city('extra', `'{"a":"\\u0000"}'`), no('22023', 'extra cannot be read')],
    [
      'a number beyond doubles',
      city('extra', `'[1e309]'`),
      no('22023', 'extra has a number that is not finite'),
    ],
    ['a number at the end of doubles', city('extra', `'[1.7976931348623157e308]'`), null],
    ['JSON null', city('extra', `'null'`), null],
    ['props of 1 MiB', ofBytes(foreignLimits.objectBytes), null],
    ['a byte more', ofBytes(foreignLimits.objectBytes + 1), no('54000', 'more than 1048576 bytes')],
    ['an unknown member of an enum, which clients show as such', city('size', `'xxl'`), null],
    [
      'a ref to nothing',
      `insert into members (realm, "group") values ('public', '${uuid7()}')`,
      null,
    ],
  ])('%s', async (_what, statement, refused) => {
    const found = await outcome(statement);
    if (refused === null) expect(found).toBeNull();
    else {
      expect(found).toMatch(new RegExp(`^${refused.code} `));
      expect(found).toContain(refused.sentence);
    }
  });
});

describe('a row that is there', () => {
  const group = uuid7();
  beforeAll(async () => {
    await world.write(
      `insert into cities (id, realm, name, code) values ('there', 'public', 'x', 'K'), ('beside', 'public', 'y', 'L')`,
      `insert into cities (id, realm, name, code) values ('there', 'user:ada', 'x', 'K')`,
      `insert into user_groups (id, realm, name) values ('${group}', 'public', 'x')`,
    );
  });

  test.each([
    [
      'keeps its id',
      `update cities set id = 'other' where id = 'there'`,
      '0A000 cities there: an id never changes.',
    ],
    [
      'keeps its realm, if its id is the application’s own',
      `update cities set realm = 'user:bo' where id = 'there'`,
      '0A000 cities there: a row whose id',
    ],
    ['is not truncated', 'truncate cities', '0A000 cities: TRUNCATE is not logged'],
    [
      'has a unique value in its realm',
      `update cities set code = 'K' where id = 'beside'`,
      '23505 cities beside: there has the same code in the realm public',
    ],
    [
      'has it also against one of the same transaction',
      `insert into cities (id, realm, name, code) values ('m', 'public', 'x', 'M'), ('n', 'public', 'x', 'M')`,
      '23505 cities ',
    ],
    [
      'gets no value that no client reads',
      `update cities set population = 'Infinity' where id = 'there'`,
      '22023 cities there: population',
    ],
  ])('%s', async (_what, statement, sentence) => {
    expect(await outcome(statement)).toContain(sentence);
  });

  test('passes a unique value on within a transaction', async () => {
    expect(
      await outcome(
        `update cities set code = null where id = 'there' and realm = 'public'`,
        `update cities set code = 'K' where id = 'beside'`,
        `update cities set code = 'L' where id = 'there' and realm = 'public'`,
      ),
    ).toBeNull();
  });

  test.each([
    [
      'insert',
      `insert into skerry.membership (id, realm, revision, created_at, modified_at, "user", "role")
       values ('r/eve', 'r', 1, now(), now(), 'eve', 'owner')`,
    ],
    ['truncate', 'truncate skerry.membership'],
  ])('memberships are not written: %s', async (_what, statement) => {
    expect(await outcome(statement)).toContain(
      '0A000 skerry.membership: memberships are written by clients only',
    );
  });
});

describe('skerry.begin', () => {
  const entry = async () => {
    const [row] = await world.server.sql.query<{ user: string; realm: string }>(
      `select l.user_id as "user", l.realm from skerry.log l order by l.at desc limit 1`,
    );
    return row;
  };

  test('names realm and actor for its transaction', async () => {
    await world.write(
      `select skerry.begin('user:ada', 'bo')::text`,
      `insert into cities (id, name) values ('begun', 'x')`,
    );
    expect(await entry()).toEqual({ user: 'bo', realm: 'user:ada' });
  });

  test('says nothing of the next transaction', async () => {
    expect(await outcome(`insert into cities (id, name) values ('begun 2', 'x')`)).toContain(
      '23502',
    );
    await world.write(`insert into cities (id, realm, name) values ('begun 3', 'public', 'x')`);
    expect(await entry()).toEqual({ user: 'sql', realm: 'public' });
  });

  test('is not replaced by what stays on a connection', async () => {
    await world.write(
      `select set_config('skerry.realm', 'public', false), set_config('skerry.actor', 'eve', false)`,
    );
    expect(await outcome(`insert into cities (id, name) values ('stays', 'x')`)).toContain('23502');
    await world.write(`insert into cities (id, realm, name) values ('stays', 'public', 'x')`);
    expect(await entry()).toEqual({ user: 'sql', realm: 'public' });
  });

  test.each([
    ['an empty actor', `'public', ''`, 'an actor is the name of a user'],
    ['an actor of 92 bytes', `'public', repeat('a', 92)`, 'an actor is the name of a user'],
    ['no realm', `null, 'ada'`, 'skerry.begin: a row needs a realm'],
    ['a realm that nobody founded', `'${uuid7()}', 'ada'`, 'does not exist'],
  ])('refuses %s', async (_what, args, sentence) => {
    expect(await outcome(`select skerry.begin(${args})::text`)).toContain(sentence);
  });

  test('takes an actor of 91 bytes', async () => {
    expect(await outcome(`select skerry.begin('public', repeat('a', 91))::text`)).toBeNull();
  });
});

test.each(['repeatable read', 'serializable'])(
  'a transaction that is %s is refused',
  async (level) => {
    const before = await world.settledRows();
    for (const write of [
      `insert into cities (id, realm, name) values ('isolated', 'public', 'x')`,
      `update cities set name = 'y' where id = 'a'`,
      `delete from cities where id = 'a'`,
    ]) {
      expect(await outcome(`set transaction isolation level ${level}`, write)).toMatch(
        /^0A000 .*READ COMMITTED/,
      );
    }
    expect(await world.rows()).toEqual(before);
  },
);

test('times are cut to milliseconds, and the server’s own columns are its own', async () => {
  await world.write(
    `insert into cities (id, realm, name, founded_on, created_at, modified_at, revision)
     values ('times', 'public', 'x', '2020-01-02 03:04:05.678999Z', '2021-02-03 04:05:06.789999Z', '1970-01-01Z', 77)`,
  );
  const [row] = await world.server.sql.query(
    `select c.founded_on::text as founded, c.created_at::text as created, (c.revision = r.head)::text as revision,
            (skerry.to_ms(c.modified_at) = r.at)::text as modified
       from cities c join skerry.realm r using (realm) where c.id = 'times'`,
  );
  expect(row).toEqual({
    founded: '2020-01-02 03:04:05.678+00',
    created: '2021-02-03 04:05:06.789+00',
    revision: 'true',
    modified: 'true',
  });
});

test.each([
  ['as high', 'fresh'],
  ['higher', 'public'],
])(
  'a row that moves gets the next revision of its realm, where its own is %s',
  async (_what, from) => {
    const [id, to] = [uuid7(), `to ${from}`];
    await world.write(`insert into user_groups (id, realm, name) values ('${id}', '${from}', 'x')`);
    await world.write(
      `update user_groups set realm = '${to}' where id = '${id}'`,
      `update user_groups set name = 'y' where id = '${id}' and deleted_at is null`,
    );
    const place = () =>
      world.server.sql.query(
        `select g.revision::text, r.head::text, (skerry.to_ms(g.modified_at) = r.at)::text as is_now, g.name
         from user_groups g join skerry.realm r using (realm)
        where g.id = '${id}' and g.realm = '${to}' and g.deleted_at is null`,
      );
    expect(await place()).toEqual([{ revision: '1', head: '1', is_now: 'true', name: 'y' }]);
    await world.write(`update user_groups set name = 'z' where id = '${id}' and realm = '${to}'`);
    expect(await place()).toEqual([{ revision: '2', head: '2', is_now: 'true', name: 'z' }]);
  },
);

test('a transaction writes to 1,000 realms, and to no more', async () => {
  const into = (realms: number) =>
    `insert into cities (id, realm, name) select 'many', 'many ' || n, 'x' from generate_series(1, ${realms}) n
     on conflict (realm, id) do update set population = 1`;
  expect(await outcome(into(foreignLimits.realms))).toBeNull();
  expect(await outcome(into(foreignLimits.realms + 1))).toContain(
    '54000 One transaction writes to at most 1000 realms',
  );
});

test('a row that was here only for a while leaves the marker that there was', async () => {
  const marker = () =>
    world.server.sql.query(
      `select revision::text, deleted_at::text, name from cities where id = 'brief'`,
    );
  await world.write(`insert into cities (id, realm, name) values ('brief', 'public', 'x')`);
  await world.write(`delete from cities where id = 'brief'`);
  const before = await marker();
  expect(before).toMatchObject([{ name: 'x', deleted_at: expect.any(String) }]);
  await world.write(
    `insert into cities (id, realm, name) values ('brief', 'public', 'y')`,
    `delete from cities where id = 'brief'`,
  );
  expect(await marker()).toEqual(before);
});

test('an update of a marker changes nothing', async () => {
  await world.write(`insert into cities (realm, id, name) values ('public', 'marked', 'x')`);
  await world.write(`delete from cities where id = 'marked'`);
  const marker = () =>
    world.server.sql.query(`select to_json(c)::text from cities c where id = 'marked'`);
  const before = await marker();
  await world.write(`update cities set name = 'y', population = 1 where id = 'marked'`);
  expect(await marker()).toEqual(before);
});

test('an update to the same values makes no entry, and no revision', async () => {
  await world.write(`insert into cities (realm, id, name) values ('public', 'same', 'x')`);
  const logged = () =>
    world.server.sql.query(
      `select r.head::text, c.revision::text, c.modified_at::text from cities c join skerry.realm r using (realm) where c.id = 'same'`,
    );
  const before = await logged();
  await world.write(
    `update cities set name = 'y' where id = 'same'`,
    `update cities set name = 'x' where id = 'same'`,
  );
  await world.write(`update cities set name = name where id = 'same'`);
  expect(await logged()).toEqual(before);
});

test('triggers write 50 times when their rows are logged, and no more', async () => {
  await world.server.sql.query(`
    create function public.again() returns trigger language plpgsql as $$ begin
      update cities set population = new.population + 1 where realm = new.realm and id = new.id; return null; end $$`);
  await world.server.sql.query(`
    create trigger again after update on cities for each row
      when (old.revision < new.revision and new.population < new.country::integer) execute function public.again()`);
  const upTo = (count: number) => [
    `insert into cities (id, realm, name, population, country) values ('rounds', 'public', 'x', 0, '${count}')
     on conflict (realm, id) do update set population = 0, country = excluded.country`,
  ];
  try {
    expect(await outcome(...upTo(49))).toBeNull();
    const [row] = await world.server.sql.query(
      `select population::text as n from cities where id = 'rounds'`,
    );
    expect(row).toEqual({ n: '49' });
    expect(await outcome(...upTo(50))).toMatch(/^54001 Triggers of the application write rows/);
  } finally {
    await world.server.sql.query('drop trigger again on cities');
    await world.server.sql.query('drop function public.again()');
  }
});
