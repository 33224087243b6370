// Forgets versions of users' rights. A version that another followed longer ago than the retention period is not given
// again, and a realms token with it is judged by which realms there are (rights/lost.ts). Of a user without any membership
// nothing is kept of that time: a token of it names no realm.

import type { Database } from '../db/database.ts';
import { kIsMember } from '../sql/members.ts';
import { inPortions } from './portions.ts';

const kUsersAtOnce = 1_000;

interface UserRow {
  readonly user: string;
  /** When the last version of before the time was given, if there are others before it. */
  readonly newest: string | null;
  /** The user is a member of nothing, and was not since. */
  readonly without: string;
}

const kNoMember = `(select count(*) from (
  select 1 from skerry.membership m where m."user" = u.user_id and ${kIsMember} limit 1) m) = 0`;

function nextUsers(database: Database, after: string, before: string): Promise<UserRow[]> {
  return database.query<UserRow & Record<string, unknown>>(
    `select u.user_id as "user", (u.at <= $2::text::bigint and ${kNoMember})::text as without,
            (select n.at from (
               select g.at from skerry.rights_given g where g.user_id = u.user_id and g.at <= $2::text::bigint
                order by g.at desc limit 1) n
              where (select count(*) from (
                      select 1 from skerry.rights_given g where g.user_id = u.user_id and g.at < n.at limit 1) g) > 0)::text
              as newest
       from (select u.* from skerry.user_rights u where u.user_id > $1::text collate "C"
              order by u.user_id limit ${kUsersAtOnce}) u
      order by u.user_id`,
    [after, before],
  );
}

/** Forgets all of a user, unless memberships have come since. Returns how many. */
async function forgetUser(database: Database, user: string, before: string): Promise<number> {
  const [row] = await database.query<{ gone: string }>(
    `with without as (
       delete from skerry.user_rights u
        where u.user_id = $1::text and u.at <= $2::text::bigint and ${kNoMember} returning u.user_id),
     gone as (
       delete from skerry.rights_given g
        where g.user_id = (select w.user_id from without w) and g.at <= $2::text::bigint returning 1)
     select count(*)::text as gone from gone`,
    [user, before],
  );
  return Number(row?.gone);
}

async function forgetBefore(database: Database, user: string, newest: string): Promise<number> {
  const [row] = await database.query<{ gone: string }>(
    `with gone as (
       delete from skerry.rights_given g where g.user_id = $1::text and g.at < $2::text::bigint returning 1)
     select count(*)::text as gone from gone`,
    [user, newest],
  );
  return Number(row?.gone);
}

/** Forgets versions that others followed before a time (ms). Returns how many. */
export async function forgetRights(
  database: Database,
  before: number,
  goesOn: () => boolean,
): Promise<number> {
  let all = 0;
  const next = (after: string) => nextUsers(database, after, String(before));
  for await (const each of inPortions(next, ({ user }) => user, kUsersAtOnce)) {
    if (!goesOn()) break;
    const { user, newest, without } = each;
    if (without === 'true') all += await forgetUser(database, user, String(before));
    else if (newest !== null) all += await forgetBefore(database, user, newest);
  }
  return all;
}
