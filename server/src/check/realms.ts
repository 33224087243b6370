// Findings about realms: those that nobody sees, and those whose records do not agree with their rows.

import { kUuidPattern } from '../base/uuid.ts';
import type { Queryable } from '../db/database.ts';
import { quoteText } from '../sql/names.ts';
import type { SqlTable } from '../sql/tables.ts';

/** So many are named. */
const kNamed = 3;

interface Realm {
  readonly realm: string;
}

function naming(realms: readonly Realm[]): string {
  const named = realms.slice(0, kNamed).map(({ realm }) => realm);
  const more = realms.length - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}

export async function realmFindings(tx: Queryable, tables: readonly SqlTable[]): Promise<string[]> {
  const findings: string[] = [];
  const isFounded = `r.realm ~ ${quoteText(kUuidPattern)}`;
  const lonely = await tx.query<Realm>(
    `select r.realm from skerry.realm r where ${isFounded} and r.head > 0 and not exists (
       select 1 from skerry.membership m where m.realm = r.realm and m.deleted_at is null) order by r.realm`,
  );
  if (lonely.length > 0)
    findings.push(`Nobody is a member of ${naming(lonely)}, so nobody sees what is in there.`);
  const rows = tables.map(
    (table) => `select t.realm from ${table.name} t where t.deleted_at is null`,
  );
  if (rows.length > 0) {
    const unfounded = await tx.query<Realm>(
      `select distinct k.realm from (${rows.join(' union all ')}) k
        where k.realm ~ ${quoteText(kUuidPattern)} and not exists (
          select 1 from skerry.realm r where r.realm = k.realm and r.head > 0) order by 1`,
    );
    if (unfounded.length > 0)
      findings.push(`There are rows in ${naming(unfounded)}, which nobody has founded.`);
  }
  const counts = [...rows, `select m.realm from skerry.membership m where m.deleted_at is null`];
  const miscounted = await tx.query<Realm>(
    `select r.realm from skerry.realm r
       left join (select k.realm, count(*) as rows from (${counts.join(' union all ')}) k group by k.realm) k using (realm)
      where r.rows <> coalesce(k.rows, 0) order by r.realm`,
  );
  if (miscounted.length > 0)
    findings.push(
      `The record of ${naming(miscounted)} has another number of rows than there are; it only decides when images are made.`,
    );
  const [owed] = await tx.query<{ rows: string }>('select count(*)::text as rows from skerry.owed');
  if (Number(owed?.rows ?? 0) > 0)
    findings.push(
      `Of ${owed?.rows} rows that other programs have written it is still to be done what follows by the rules of refs.`,
    );
  return findings;
}
