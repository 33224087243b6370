// Goal: whatever other programs and clients write, in whichever order, a client that pulls from any point of its past has what
// the database has. Method: generated transactions of SQL beside pushes; a client pulls after each of them, and at the end pulls again
// from each of the cursors that it had, with the rows that it had then.

import { afterEach, expect, test } from 'vitest';
import { ForeignWorld, filled } from './support/foreign-world.ts';
import { pick, type Random, random } from './support/random.ts';
import { type Json, uuid7 } from './support/server.ts';

const kRealms = ['public', 'user:ada'];
const kSteps = 40;
let world: ForeignWorld;
afterEach(() => world.close());

const text = (value: string) => `'${value}'`;

/** What a program may do to some rows. Ids are few, so that rows are deleted, made again and moved. */
function statement(next: Random, groups: readonly string[]): string[] {
  const city = text(`c${next(6)}`);
  const realm = text(pick(next, kRealms));
  const group = text(pick(next, groups));
  const other = text(pick(next, kRealms));
  const n = next(1000);
  const one = pick<string[]>(next, [
    [
      `insert into cities (realm, id, name, population) values (${realm}, ${city}, 'n${n}', ${n}) on conflict do nothing`,
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

function transaction(next: Random, groups: readonly string[]): string[] {
  const all = Array.from({ length: 1 + next(5) }, () => statement(next, groups)).flat();
  if (next(6) === 0) all.splice(next(all.length), 0, 'set constraints all immediate');
  return all;
}

/** Ops of a push, on the same rows. */
function op(next: Random, groups: readonly string[]): Json {
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
const kTriggers = [
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

const known = (rows: ReadonlyMap<string, Json>) =>
  Object.fromEntries([...rows].map(([key, props]) => [key, filled(props)] as const).sort());

const kSeeds = Array.from({ length: 6 }, (_, i) => i + 1);

test.each(kSeeds)('generated transactions and pushes, %i', async (seed) => {
  world = await ForeignWorld.open();
  const next = random(seed);
  if (seed % 2 === 0) await world.write(...kTriggers);
  const groups = Array.from({ length: 3 }, () => uuid7());
  const author = world.client();
  const follower = world.follower();
  const past: { rows: Map<string, Json>; cursors: Record<string, string> }[] = [];
  for (let step = 0; step < kSteps; step++) {
    const what: string[] = [];
    if (next(3) > 0) {
      const statements = transaction(next, groups);
      what.push(...statements);
      // A program may meet its own conflicts.
      await world.write(...statements).catch((error: unknown) => {
        if (!/^23/.test(String((error as { code?: string }).code))) throw error;
      });
    } else {
      const ops = Array.from({ length: 1 + next(3) }, () => op(next, groups));
      what.push(JSON.stringify(ops));
      await author.push(ops);
    }
    await follower.follow();
    expect(known(follower.rows), `step ${step}:\n${what.join(';\n')}`).toEqual(
      known(await world.rows()),
    );
    past.push({ rows: new Map(follower.rows), cursors: { ...follower.client.cursors } });
  }
  const all = known(await world.rows());
  for (const [step, { rows, cursors }] of past.entries()) {
    const late = world.follower();
    for (const scope of late.client.scopes) scope.filled = true;
    late.client.cursors = cursors;
    for (const [key, props] of rows) late.rows.set(key, props);
    await late.follow();
    expect(known(late.rows), `from step ${step}`).toEqual(all);
  }
});
