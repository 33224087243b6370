// Goal: constraints and triggers that an application has added to the tables refuse only the updates that break them, with a reason that
// names nothing of others. Method: constraints of each kind, and pushes that break them beside pushes that do not.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { ForeignWorld } from './support/foreign-world.ts';
import type { Json } from './support/server.ts';

let world: ForeignWorld;
beforeAll(async () => {
  world = await ForeignWorld.open();
  await world.write(
    `alter table cities add constraint not_negative check (population >= 0)`,
    `create unique index one_name on cities (realm, country, name) where deleted_at is null`,
    `create function public.few() returns trigger language plpgsql as $$ begin
       if new.name = 'forbidden' then raise exception 'No city is called so.'; end if;
       return new; end $$`,
    `create trigger few before insert or update on cities for each row execute function public.few()`,
    `create table public.owners (realm text, city text, foreign key (realm, city) references cities (realm, id))`,
  );
});
afterAll(() => world.close());

const city = (id: string, set: Json) => ({
  op: 'create',
  table: 'cities',
  id,
  realm: 'public',
  set,
});

test.each([
  [
    'a check',
    city('c', { name: 'x', population: -1 }),
    'invalid',
    'This update breaks the constraint not_negative of the database.',
  ],
  [
    'a unique index',
    city('u', { name: 'taken', country: 'se' }),
    'unique',
    'This update breaks the constraint one_name of the database.',
  ],
  [
    'an exception of a trigger',
    city('t', { name: 'forbidden' }),
    'invalid',
    'No city is called so.',
  ],
])('%s refuses the update that breaks it, and no other', async (_what, op, code, detail) => {
  await world.client('first').push([city('taken', { name: 'taken', country: 'se' })]);
  const [wrong, right] = await Promise.all([
    world.client('bo').push([op]),
    world.client('cy').push([city(`beside ${code} ${detail.length}`, { name: 'y' })]),
  ]);
  expect(wrong).toMatchObject({ status: 'rejected', rejected: [{ code, detail }] });
  expect(right).toMatchObject({ status: 'applied' });
});

test('a foreign key of a table beside them sees the marker of a deleted row', async () => {
  await world.client('ada').push([city('owned', { name: 'z' })]);
  await world.write(`insert into owners values ('public', 'owned')`);
  const deleted = await world
    .client('ada')
    .push([{ op: 'delete', table: 'cities', id: 'owned', realm: 'public' }]);
  expect(deleted).toMatchObject({ status: 'applied' });
});

test('a program cannot delete what a foreign key refers to', async () => {
  await world.client('ada').push([city('kept', { name: 'k' })]);
  await world.write(`insert into owners values ('public', 'kept')`);
  await expect(world.write(`delete from cities where id = 'kept'`)).rejects.toMatchObject({
    code: '23503',
  });
  expect((await world.rows()).has('public cities kept')).toBe(true);
});
