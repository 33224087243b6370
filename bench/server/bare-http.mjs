// The same work by hand, in a process of its own behind node:http: what a push and a pull cost without rules, chains,
// merging and scopes. A push writes the same rows into the same tables with the same indexes (a server has made them),
// grouped, after the same look-ups; a pull reads the changed rows in one snapshot and serialises them. It trusts whatever
// it is sent.

import { createServer } from 'node:http';
import { Pool } from 'pg';
import { grouped } from './grouped.mjs';

const pool = new Pool({
  connectionString: process.env.DATABASE_URL,
  max: 4,
  pipeline: true,
  // It writes the log itself, without triggers.
  options: '-c enable_seqscan=off -c session_replication_role=replica',
});

const kLock = `select realm, head::text as head from skerry.realm
  where realm = any(array(select k.v from json_array_elements_text($1::text::json) as k(v))) order by realm for update`;
const kLookUp = `select
  (select count(*) from json_to_recordset($1::text::json) as k(realm text, client text) cross join lateral
    (select 1 from skerry.chain c where c.realm = k.realm and c.client = k.client limit 1) c)::text as chains,
  (select count(*) from json_to_recordset($1::text::json) as k(id text) cross join lateral
    (select 1 from skerry.log l where l.update_id = k.id limit 1) l)::text as applied,
  (select count(*) from json_to_recordset($1::text::json) as k(realm text, action text) cross join lateral
    (select 1 from skerry.action a where a.realm = k.realm and a.id = k.action limit 1) a)::text as actions,
  (select count(*) from json_to_recordset($1::text::json) as k(realm text, "row" text) cross join lateral
    (select 1 from public.cities t where t.realm = k.realm and t.id = k."row" limit 1) t)::text as rows`;
const kWrite = `with e as materialized (
    select * from json_to_recordset($1::text::json) as e(realm text, revision bigint, at bigint, client text, "user" text,
      id text, action text, actions json, ops json, answer json, base json, tables json, streams json, seq bigint,
      "row" text, name text)),
  log as (insert into skerry.log (realm, revision, at, client, user_id, update_id, declared, base, actions, ops, answer,
      tables, streams, changes)
    select realm, revision, at, client, "user", id, true, base, actions, ops, answer, tables, streams, 1 from e),
  change as (insert into skerry.change (realm, revision, table_name, id, touch)
    select realm, revision, 'cities', "row", false from e),
  action as (insert into skerry.action (realm, id, revision) select realm, action, revision from e),
  chain as (insert into skerry.chain (realm, client, seq, update_id, refused)
    select distinct on (realm, client) realm, client, seq, id, '{}'::json from e order by realm, client, seq desc
    on conflict (realm, client) do update set seq = excluded.seq, update_id = excluded.update_id),
  city as (insert into public.cities (id, realm, revision, created_at, modified_at, name)
    select "row", realm, revision, to_timestamp(at / 1000.0), to_timestamp(at / 1000.0), name from e)
  update skerry.realm r set head = k.head, at = k.at, rows = r.rows + k.rows
    from (select realm, max(revision) as head, max(at) as at, count(*) as rows from e group by realm) k
   where r.realm = k.realm`;

/** The name that each text is prepared by. */
const names = new Map();

async function run(client, text, ...values) {
  if (!names.has(text)) names.set(text, `s${names.size}`);
  return (await client.query({ name: names.get(text), text, values })).rows;
}

/** Runs one transaction; the process answers 500 and the benchmark ends if a statement fails. */
async function transaction(begin, work) {
  const client = await pool.connect();
  try {
    await client.query(begin);
    const value = await work(client);
    await client.query('commit');
    client.release();
    return value;
  } catch (error) {
    client.release(error);
    throw error;
  }
}

async function flush(group) {
  const at = Date.now();
  const realms = JSON.stringify([...new Set(group.map(({ realm }) => realm))].sort());
  await transaction('begin', async (tx) => {
    const keys = group.map(({ realm, client, update }) => ({
      ...{ realm, client, id: update.id, action: update.actions[0].id, row: update.ops[0].id },
    }));
    const [heads] = await Promise.all([
      run(tx, kLock, realms),
      run(tx, kLookUp, JSON.stringify(keys)),
    ]);
    const next = new Map(heads.map(({ realm, head }) => [realm, Number(head)]));
    const entries = group.map(({ realm, user, update }, n) => {
      const revision = (next.get(realm) ?? 0) + 1;
      next.set(realm, revision);
      const { actions, ops, base } = update;
      const answer = { id: update.id, status: 'applied', revisions: { [realm]: revision }, at };
      group[n].answer = answer;
      return {
        ...keys[n],
        ...{ revision, at, user, actions, ops, base, answer, tables: ['cities'], streams: [] },
        ...{ seq: (update.after[realm]?.seq ?? 0) + 1, name: ops[0].set.name },
      };
    });
    await run(tx, kWrite, JSON.stringify(entries));
  });
}

const write = grouped(flush);

async function push(body, user) {
  const [update] = body.updates;
  const [realm] = Object.keys(update.after);
  const { answer } = await write({ realm, client: body.client, user, update });
  return { time: answer.at, results: [answer] };
}

function pull({ cursors }) {
  const [[realm, cursor]] = Object.entries(cursors);
  return transaction('begin isolation level repeatable read read only', async (tx) => {
    const [[head], changes] = await Promise.all([
      run(
        tx,
        'select head::text as head, at::text as at from skerry.realm where realm = $1::text',
        realm,
      ),
      run(
        tx,
        `select t.id, t.realm, t.revision::text as revision, t.name, t.population,
                (extract(epoch from t.created_at at time zone 'UTC') * 1000)::float8 as created,
                (extract(epoch from t.modified_at at time zone 'UTC') * 1000)::float8 as modified
           from skerry.change c cross join lateral (select * from public.cities t where t.realm = c.realm and t.id = c.id limit 1) t
          where c.realm = $1::text and c.revision > $2::text::bigint`,
        realm,
        cursor.split('@')[0],
      ),
    ]);
    return {
      time: Date.now(),
      cursors: { [realm]: `${head.head}@${head.at}` },
      changes: changes.map(({ id, revision, name, population, created, modified }) => ({
        ...{ change: 'create', table: 'cities', id, realm },
        set: population === null ? { name } : { name, population },
        ...{ createdAt: created, modifiedAt: modified, revision: Number(revision) },
      })),
    };
  });
}

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', async () => {
    let status = 200;
    let answer;
    try {
      const body = JSON.parse(Buffer.concat(parts).toString());
      answer = await (request.url === '/v1/push' ? push(body, 'bare') : pull(body));
    } catch (error) {
      status = 500;
      answer = { error: String(error) };
    }
    const text = Buffer.from(JSON.stringify(answer));
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': text.length,
    });
    response.end(text);
  });
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  void pool.end();
});
server.listen(0, '127.0.0.1', () =>
  console.log(`bare ready http://127.0.0.1:${server.address().port}`),
);
