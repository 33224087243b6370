// The least that a database asks for the same guarantee: whatever waits, of all realms, in one transaction on one
// connection: lock the heads, insert log entries, update the heads. No HTTP, no rules, no rows.

import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { grouped } from './grouped.mjs';

const kLock = {
  name: 'lock',
  text: `select realm, head::text as head from bare.realm
    where realm in (select k.v from json_array_elements_text($1::text::json) as k(v)) order by realm for update`,
};
const kInsert = {
  name: 'insert',
  text: `insert into bare.log select * from json_to_recordset($1::text::json)
    as e(realm text, revision bigint, id text, ops json)`,
};
const kUpdate = {
  name: 'update',
  text: `update bare.realm r set head = k.head from json_to_recordset($1::text::json) as k(realm text, head bigint)
    where r.realm = k.realm`,
};

export async function openBare(url) {
  const client = new Client({ connectionString: url, pipeline: true });
  await client.connect();
  await client.query(`create schema bare;
    create table bare.realm (realm text primary key, head bigint not null);
    create table bare.log (realm text, revision bigint, id text, ops json, primary key (realm, revision));`);
  async function flush(group) {
    const realms = [...new Set(group.map(({ realm }) => realm))].sort();
    await client.query('begin');
    const { rows } = await client.query({ ...kLock, values: [JSON.stringify(realms)] });
    const next = new Map(rows.map(({ realm, head }) => [realm, Number(head)]));
    const entries = group.map(({ realm, ops }) => {
      const revision = next.get(realm) + 1;
      next.set(realm, revision);
      return { realm, revision, id: randomUUID(), ops };
    });
    const heads = [...next].map(([realm, head]) => ({ realm, head }));
    await Promise.all([
      client.query({ ...kInsert, values: [JSON.stringify(entries)] }),
      client.query({ ...kUpdate, values: [JSON.stringify(heads)] }),
    ]);
    await client.query('commit');
  }

  const push = grouped(flush);
  return {
    async realms(names) {
      await client.query(
        `insert into bare.realm select unnest($1::text[]), 0 on conflict do nothing`,
        [names],
      );
    },
    push(realm) {
      const ops = [
        { op: 'create', table: 'cities', id: randomUUID(), realm, set: { name: 'x' }, by: [0] },
      ];
      return push({ realm, ops });
    },
    close: () => client.end(),
  };
}
