// `npm run bench -- sql`: what it costs to log what other programs write: rows that a program inserts, updates and deletes, beside the
// same table without triggers, and beside one with an ordinary trigger that writes a row for each; and a push, with and without the triggers.

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { Client } from 'pg';
import { startCluster } from '../tools/lib/cluster.mjs';
import { markdown, median } from './lib/report.mjs';
import { Http, measure, overHttp, Pusher } from './server/load.mjs';
import { secret, startNode } from './server/node.mjs';

const kRows = 100_000;
const kRounds = 3;
const kPushMs = 4_000;
const kInFlight = 16;

/** Tables with the columns and indexes of `cities`: without triggers, and with an ordinary one. */
const kOthers = `
  create table bare (like cities including defaults including indexes);
  alter table bare alter column id drop default, alter column realm drop default,
    alter column created_at set default now(), alter column modified_at set default now();
  create table audited (like bare including all);
  create table audit (id text, realm text, at timestamp with time zone default now());
  create function audit_it() returns trigger language plpgsql as $$ begin
    insert into audit (id, realm) values (new.id, new.realm); return null; end $$;
  create trigger audit_it after insert or update on audited for each row execute function audit_it();
  create table source as
    select 'row ' || n as id, 'public' as realm, 'Name ' || n as name, n::float8 as population
      from generate_series(1, ${kRows}) n`;

const kTables = { bare: 'no triggers', audited: 'an ordinary trigger', cities: 'logged' };

/** A program that loses a row would be fast. */
async function check(sql, table, rows) {
  const where = table === 'cities' ? ' where deleted_at is null' : '';
  const { rows: found } = await sql.query(`select count(*)::int as n from ${table}${where}`);
  if (found[0].n !== rows) throw new Error(`${table} has ${found[0].n} rows instead of ${rows}.`);
}

async function timed(sql, statement) {
  await sql.query('checkpoint');
  const began = performance.now();
  await sql.query(statement);
  return performance.now() - began;
}

/** Milliseconds of each statement on each table. */
async function programs(url, note) {
  const sql = new Client(url);
  await sql.connect();
  await sql.query(kOthers);
  // Every table begins empty: the rows that were pushed go, unlogged.
  await sql.query('set session_replication_role = replica');
  await sql.query('truncate cities');
  await sql.query('set session_replication_role = origin');
  const times = new Map();
  const add = (what, table, ms) => {
    const key = `${what} ${table}`;
    times.set(key, [...(times.get(key) ?? []), ms]);
  };
  try {
    for (let round = 0; round < kRounds; round++) {
      note(`statements over ${kRows} rows, round ${round + 1}`);
      for (const table of Object.keys(kTables)) {
        const columns = 'realm, name, population';
        add(
          'insert',
          table,
          await timed(
            sql,
            // Ids that no marker of a deleted row has.
            `insert into ${table} (id, ${columns}) select id || ' of ${round}', ${columns} from source`,
          ),
        );
        await check(sql, table, kRows);
        add('update', table, await timed(sql, `update ${table} set population = population + 1`));
        add('delete', table, await timed(sql, `delete from ${table}`));
        await check(sql, table, 0);
        await sql.query(`vacuum analyze ${table}`);
      }
    }
  } finally {
    await sql.end();
  }
  return times;
}

/** Pushes a second of one row each, with and without the triggers, in turns. */
async function pushes(server, url, note) {
  const sql = new Client(url);
  await sql.connect();
  const http = new Http(server.url, kInFlight);
  const rates = { with: [], without: [] };
  try {
    const realms = Array.from({ length: kInFlight }, (_, i) => `realm-${i}`);
    const claims = Object.fromEntries(realms.map((realm) => [realm, 'write']));
    const token = await new SignJWT({ sub: 'bench', realms: claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(secret));
    const workers = realms.map((realm, i) => {
      const row = { table: 'cities', set: { name: `city ${i}` } };
      const pusher = new Pusher(overHttp(http, token), realm, row);
      return () => pusher.push();
    });
    await measure(workers, kPushMs);
    for (let round = 0; round < kRounds * 2; round++) {
      // Which comes first changes, because the tables grow.
      const order = round % 2 === 0 ? ['with', 'without'] : ['without', 'with'];
      for (const kind of order) {
        note(`pushes ${kind} triggers, round ${round + 1}`);
        const does = kind === 'with' ? 'enable' : 'disable';
        await sql.query(`alter table cities ${does} trigger user`);
        rates[kind].push((await measure(workers, kPushMs)).rate);
      }
    }
  } finally {
    http.close();
    await sql.end();
  }
  return rates;
}

export async function sqlBench(note) {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-bench-sql-'));
  const cluster = await startCluster();
  try {
    const url = cluster.url.replace(/[^/]+$/, 'bench');
    const admin = new Client(cluster.url);
    await admin.connect();
    await admin.query('create database bench');
    await admin.end();
    const server = await startNode(folder, url);
    try {
      const rates = await pushes(server, url, note);
      const times = await programs(url, note);
      return { text: report(times, rates), failed: false };
    } finally {
      await server.stop();
    }
  } finally {
    await cluster.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(times, rates) {
  const us = (what, table) => ((median(times.get(`${what} ${table}`)) * 1000) / kRows).toFixed(1);
  const lines = Object.entries(kTables).map(([table, name]) => [
    name,
    ...['insert', 'update', 'delete'].map((what) => us(what, table)),
  ]);
  const [pushed, bare] = [rates.with, rates.without].map(median);
  return [
    markdown(
      [
        `${kRows.toLocaleString('en')} rows in one statement, µs a row`,
        'insert',
        'update',
        'delete',
      ],
      lines,
    ),
    '',
    markdown(
      [`pushes of one row, ${kInFlight} at a time, PostgreSQL`, 'a second'],
      [
        ['with the triggers', pushed.toFixed(0)],
        ['without', bare.toFixed(0)],
      ],
    ),
    '',
    `Medians of ${kRounds} and ${kRounds * 2} rounds; ${cpus().length} cores.`,
  ].join('\n');
}
