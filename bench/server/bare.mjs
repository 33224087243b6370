// The least that a database asks for the same guarantee: whatever waits, of all realms, in one transaction on one
// connection: lock the heads, insert log entries, update the heads. No HTTP, no rules, no rows.

import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { grouped } from './grouped.mjs';

export async function openBare(url) {
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} });
  await sql.unsafe(`create schema bare;
    create table bare.realm (realm text primary key, head bigint not null);
    create table bare.log (realm text, revision bigint, id text, ops json, primary key (realm, revision));`);
  async function flush(group) {
    const realms = [...new Set(group.map(({ realm }) => realm))].sort();
    await sql.begin(async (tx) => {
      const names = JSON.stringify(realms);
      const heads = await tx.unsafe(
        `select realm, head::text as head from bare.realm
          where realm in (select k.v from json_array_elements_text($1::text::json) as k(v)) order by realm for update`,
        [names],
        { prepare: true },
      );
      const next = new Map(heads.map(({ realm, head }) => [realm, Number(head)]));
      const entries = group.map(({ realm, ops }) => {
        const revision = next.get(realm) + 1;
        next.set(realm, revision);
        return { realm, revision, id: randomUUID(), ops };
      });
      await Promise.all([
        tx.unsafe(
          `insert into bare.log select * from json_to_recordset($1::text::json)
             as e(realm text, revision bigint, id text, ops json)`,
          [JSON.stringify(entries)],
          { prepare: true },
        ),
        tx.unsafe(
          `update bare.realm r set head = k.head from json_to_recordset($1::text::json) as k(realm text, head bigint)
            where r.realm = k.realm`,
          [JSON.stringify([...next].map(([realm, head]) => ({ realm, head })))],
          { prepare: true },
        ),
      ]);
    });
  }

  const push = grouped(flush);
  return {
    async realms(names) {
      await sql`insert into bare.realm select unnest(string_to_array(${names.join(',')}, ',')), 0 on conflict do nothing`;
    },
    push(realm) {
      const ops = [
        { op: 'create', table: 'cities', id: randomUUID(), realm, set: { name: 'x' }, by: [0] },
      ];
      return push({ realm, ops });
    },
    close: () => sql.end(),
  };
}
