// SQLite with its pages in IndexedDB, in the page itself.
import * as SQLite from 'wa-sqlite';
import SQLiteAsync from 'wa-sqlite/dist/wa-sqlite-async.mjs';
import { IDBBatchAtomicVFS } from 'wa-sqlite/src/examples/IDBBatchAtomicVFS.js';
import { COLUMNS, CREATE, INSERT, valuesOf } from './sql.js';

let sqlite;
let db;
let last = Promise.resolve();

async function execute(sql, values) {
  const rows = [];
  for await (const statement of sqlite.statements(db, sql)) {
    if (values) sqlite.bind_collection(statement, values);
    const names = sqlite.column_names(statement);
    while ((await sqlite.step(statement)) === SQLite.SQLITE_ROW) {
      const row = sqlite.row(statement);
      rows.push(Object.fromEntries(names.map((name, i) => [name, row[i]])));
    }
  }
  return rows;
}

/** It cannot be entered twice: one statement follows the other. */
function run(sql, values) {
  // Who ran the one before hears of its failure.
  last = last.catch(() => {}).then(() => execute(sql, values));
  return last;
}

export default {
  async open() {
    const module = await SQLiteAsync({ locateFile: (file) => new URL(file, import.meta.url).href });
    sqlite = SQLite.Factory(module);
    sqlite.vfs_register(new IDBBatchAtomicVFS('bench', { durability: VARIANT }), true);
    db = await sqlite.open_v2('bench.db');
    for (const sql of ['pragma locking_mode=exclusive', 'pragma cache_size=-50000', CREATE])
      await run(sql);
  },
  async bulk(rows) {
    await run('begin');
    const sql = sqlite.str_new(db, INSERT);
    const { stmt } = await sqlite.prepare_v2(db, sqlite.str_value(sql));
    for (const row of rows) {
      sqlite.bind_collection(stmt, valuesOf(row));
      await sqlite.step(stmt);
      await sqlite.reset(stmt);
    }
    await sqlite.finalize(stmt);
    await run('commit');
  },
  count: async (country) =>
    (await run('select count(*) as n from cities where country = ?', [country]))[0].n,
  get: async (id) => (await run(`select ${COLUMNS} from cities where id = ?`, [id]))[0],
  update: (id, { population }) =>
    run('update cities set population = ? where id = ?', [population, id]),
  top: (country, count) =>
    run(`select ${COLUMNS} from cities where country = ? order by population desc limit ?`, [
      country,
      count,
    ]),
};
