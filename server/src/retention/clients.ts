// Forgets what clients leave behind that are never heard from again: their chains, with the outcomes in all realms and the ids
// of their actions. Of a user the clients heard from last are never forgotten, however long ago that was. The row of a
// forgotten one stays, and says so: its pushes are answered `unknown_client` (docs/design.md, "Compaction").

import { limits } from '../base/limits.ts';
import type { Database, Queryable } from '../db/database.ts';
import { inPortions } from './portions.ts';

/** What one statement looks at, or forgets, at most. */
const kUsersAtOnce = 1_000;
const kRefusalsAtOnce = 10_000;
const kClientsAtOnce = 200;

/** Forgets chains of before a time (ms) in which nothing was ever applied. Returns how many. */
export async function forgetRefusals(
  database: Database,
  before: number,
  goesOn: () => boolean,
): Promise<number> {
  let all = 0;
  for (let isMore = true; isMore && goesOn(); ) {
    const [next] = await database.query<{ at: string }>(
      `select k.at::text as at from skerry.chain k where k.seq = 0 and k.at <= $1::text::bigint
        order by k.at offset ${kRefusalsAtOnce} limit 1`,
      [String(before)],
    );
    isMore = next !== undefined;
    const [row] = await database.query<{ gone: string }>(
      `with gone as (delete from skerry.chain k where k.seq = 0 and k.at <= $1::text::bigint returning 1)
       select count(*)::text as gone from gone`,
      [next?.at ?? String(before)],
    );
    all += Number(row?.gone);
  }
  return all;
}

/** The next users, by name, and which of them have more clients than are kept. Jumps from user to user in the index. */
async function nextUsers(
  database: Database,
  after: string,
): Promise<readonly { readonly user: string; readonly many: string }[]> {
  return database.query<{ user: string; many: string }>(
    `with recursive u as (
       (select c.user_id from skerry.client c where c.user_id > $1::text and not c.is_forgotten
         order by c.user_id limit 1)
       union all
       select n.user_id from u
        cross join lateral (
          select c.user_id from skerry.client c where c.user_id > u.user_id and not c.is_forgotten
           order by c.user_id limit 1) n)
     select u.user_id as "user",
            ((select count(*) from (
                select 1 from skerry.client c where c.user_id = u.user_id and not c.is_forgotten
                 order by c.at offset ${limits.clientsKept} limit 1) c) > 0)::text as many
       from u limit ${kUsersAtOnce}`,
    [after],
  );
}

async function oldClients(database: Database, user: string, before: number): Promise<string[]> {
  const rows = await database.query<{ client: string }>(
    `select c.client from (
       select c.client, c.at from skerry.client c where c.user_id = $1::text and not c.is_forgotten
        order by c.at desc, c.client offset ${limits.clientsKept}) c
      where c.at <= $2::text::bigint limit ${kClientsAtOnce}`,
    [user, String(before)],
  );
  return rows.map(({ client }) => client);
}

/** Forgets a client, unless it was heard from since. An update of it that is being committed meanwhile stays in the log. */
async function forgetClient(tx: Queryable, client: string, before: number): Promise<boolean> {
  const [marked] = await tx.query(
    `update skerry.client c set is_forgotten = true
      where c.client = $1::text and not c.is_forgotten and c.at <= $2::text::bigint returning c.client`,
    [client, String(before)],
  );
  if (marked === undefined) return false;
  const chains = await tx.query<{ realm: string }>(
    `delete from skerry.chain k where k.client = $1::text returning k.realm`,
    [client],
  );
  // What is below the floor was kept for the client; what is not, the log forgets in time.
  const forgetOutcomes = ({ realm }: { readonly realm: string }) =>
    tx.query(
      `with gone as (
         delete from skerry.log l
          where l.realm = $1::text and l.client = $2::text and l.revision > 1
            and l.revision < (select r.floor from skerry.realm r where r.realm = $1::text)
         returning l.actions)
       delete from skerry.action a
        where a.realm = $1::text and a.id = any(array(
          select x.action ->> 'id' from gone g
           cross join lateral json_array_elements(coalesce(g.actions, '[]'::json)) as x(action)))`,
      [realm, client],
    );
  await Promise.all(chains.map(forgetOutcomes));
  return true;
}

async function forgetSilent(
  database: Database,
  user: string,
  before: number,
  goesOn: () => boolean,
): Promise<number> {
  for (let all = 0; ; ) {
    const clients = await oldClients(database, user, before);
    let gone = 0;
    for (const client of clients) {
      if (!goesOn()) return all + gone;
      const run = (tx: Queryable) => forgetClient(tx, client, before);
      if (await database.transaction({ mode: 'write' }, run)) gone++;
    }
    all += gone;
    // Another node may have forgotten them at the same time.
    if (gone === 0) return all;
  }
}

/** Forgets clients of which nothing was heard since `before` (ms), but for each user’s last ones. Returns how many. */
export async function forgetClients(
  database: Database,
  before: number,
  goesOn: () => boolean,
): Promise<number> {
  let all = 0;
  const next = (after: string) => nextUsers(database, after);
  for await (const { user, many } of inPortions(next, ({ user }) => user, kUsersAtOnce)) {
    if (!goesOn()) break;
    if (many === 'true') all += await forgetSilent(database, user, before, goesOn);
  }
  return all;
}
