// What other programs and clients may write, at random: to few rows, so that these are deleted, made again and moved.

import { filled } from './foreign-world.ts';
import { pick, type Random } from './random.ts';
import type { Json } from './server.ts';

export const kRealms = ['public', 'user:ada'];

const text = (value: string) => `'${value}'`;

/** What a program may do to some rows. */
export function statement(next: Random, groups: readonly string[]): string[] {
  const city = text(`c${next(6)}`);
  const realm = text(pick(next, kRealms));
  const group = text(pick(next, groups));
  const other = text(pick(next, kRealms));
  const n = next(1000);
  const one = pick<string[]>(next, [
    [
      `insert into cities (realm, id, name, population) values (${realm}, ${city}, 'n${n}', ${n % 3 === 0 ? 'null' : n}) on conflict do nothing`,
    ],
    [
      `insert into cities (realm, id, name, population) values (${realm}, ${city}, 'u${n}', ${n})
         on conflict (realm, id) do update set name = excluded.name, country = null`,
    ],
    [
      `update cities set population = ${n}, "founded_on" = now() where realm = ${realm} and id = ${city}`,
    ],
    [`update cities set name = name, population = population`],
    [`update cities set country = 'c${next(3)}' where id <= ${city}`],
    [
      `update cities set extra = '{"b": [${n}, 1.5], "a": null}', flag = '\\x00ff', capital = not capital where id = ${city}`,
    ],
    [`delete from cities where realm = ${realm} and id = ${city}`],
    [`update cities set deleted_at = now() where realm = ${realm} and id = ${city}`],
    [`update cities set deleted_at = null where realm = ${realm} and id = ${city}`],
    [`delete from cities where population::integer % 7 = ${next(7)}`],
    [
      `insert into user_groups (realm, id, name) values (${realm}, ${group}, 'g${n}') on conflict do nothing`,
    ],
    [
      `update user_groups set realm = ${other} where id = ${group} and deleted_at is null and not exists (
        select 1 from user_groups u where u.id = ${group} and u.realm = ${other} and u.deleted_at is null)`,
    ],
    [`update user_groups set name = 'h${n}' where id = ${group}`],
    [`delete from user_groups where id = ${group}`],
    [`insert into user_groups (realm, name) values (${realm}, 'fresh ${n}')`],
  ]);
  if (next(8) > 0) return one;
  return [
    'savepoint s',
    ...one,
    ...statement(next, groups),
    next(2) === 0 ? 'rollback to s' : 'release s',
  ];
}

/** The same for rows that refer to others, whose consequences come later; and statements over many rows. */
export function widerStatement(next: Random, groups: readonly string[]): string[] {
  const realm = text(pick(next, kRealms));
  const group = text(pick(next, groups));
  const person = text(`p${next(5)}`);
  return pick<() => string[]>(next, [
    () => statement(next, groups),
    () => statement(next, groups),
    () => [
      `insert into members (realm, "group", person) select ${realm}, ${group}, 'p' || n from generate_series(1, ${1 + next(3)}) n`,
    ],
    () => [`update members set person = ${person} where "group" = ${group}`],
    () => [`delete from members where person = ${person}`],
    () => [`update cities set population = coalesce(population, 0) + 1 where realm = ${realm}`],
    () => [
      `insert into cities (realm, id, name) select ${realm}, 'm' || n, 'many' from generate_series(1, 40) n
         on conflict (realm, id) do update set population = length(cities.name)`,
    ],
    () => [`delete from cities where realm = ${realm} and id like 'm%'`],
  ])();
}

export function transaction(
  next: Random,
  groups: readonly string[],
  each: typeof statement = statement,
): string[] {
  const all = Array.from({ length: 1 + next(5) }, () => each(next, groups)).flat();
  if (next(6) === 0) all.splice(next(all.length), 0, 'set constraints all immediate');
  return all;
}

/** Ops of a push, on the same rows. */
export function pushedOp(next: Random, groups: readonly string[]): Json {
  const realm = pick(next, kRealms);
  const id = `c${next(6)}`;
  const group = pick(next, groups);
  const n = next(1000);
  return pick<Json>(next, [
    { op: 'create', table: 'cities', id, realm, set: { name: `p${n}`, population: n } },
    { op: 'update', table: 'cities', id, realm, set: { name: `q${n}` } },
    { op: 'update', table: 'cities', id, realm, set: { country: `k${next(3)}` } },
    { op: 'inc', table: 'cities', id, realm, add: { population: 1 } },
    { op: 'delete', table: 'cities', id, realm },
    { op: 'create', table: 'userGroups', id: group, realm, set: { name: `r${n}` } },
    { op: 'update', table: 'userGroups', id: group, realm, set: { name: `s${n}` } },
    { op: 'delete', table: 'userGroups', id: group, realm },
    {
      ...{ op: 'move', table: 'userGroups', id: group, realm },
      to: pick(
        next,
        kRealms.filter((other) => other !== realm),
      ),
    },
  ]);
}

/** Triggers that an application may have: at other rows of the same table, at those of another, and one that normalises. */
export const kTriggers = [
  `create function public.siblings() returns trigger language plpgsql as $$ begin
     update cities set population = coalesce(population, 0) + 1
      where realm = new.realm and id > new.id and country is not distinct from new.country and deleted_at is null;
     return null; end $$`,
  `create trigger siblings after update on cities for each row
     when (pg_trigger_depth() < 1 and old.country is distinct from new.country) execute function public.siblings()`,
  `create function public.counted() returns trigger language plpgsql as $$ begin
     insert into cities (realm, id, name, population) values (new.realm, 'count', 'count', 1)
       on conflict (realm, id) do update set population = cities.population + 1;
     return null; end $$`,
  `create trigger counted after insert or update on user_groups for each row
     when (pg_trigger_depth() < 1 and new.deleted_at is null) execute function public.counted()`,
  // At the row itself, before it is noted as inserted.
  `create function public.measured() returns trigger language plpgsql as $$ begin
     update cities set population = length(new.name) where realm = new.realm and id = new.id; return null; end $$`,
  `create trigger measured after insert on cities for each row
     when (new.population is null) execute function public.measured()`,
  `create function public.trimmed() returns trigger language plpgsql as $$ begin
     new.name := left(new.name, 3); return new; end $$`,
  `create trigger trimmed before insert or update on cities for each row execute function public.trimmed()`,
  // It writes again when its row gets a revision.
  `create function public.noticed() returns trigger language plpgsql as $$ begin
     insert into notices (realm, id, text) values (new.realm, 'about-' || new.id, new.name)
       on conflict (realm, id) do update set text = excluded.text || length(notices.text);
     return null; end $$`,
  `create trigger noticed after insert or update on cities for each row
     when (new.deleted_at is null) execute function public.noticed()`,
];

/** Rows as they are compared: without what is null, in order. */
export const known = (rows: ReadonlyMap<string, Json>) =>
  Object.fromEntries([...rows].map(([key, props]) => [key, filled(props)] as const).sort());
