// VARIANT `wal`: a write-ahead log that is synced now and then; else what SQLite does by default.
import start from '@sqlite.org/sqlite-wasm';
import { COLUMNS, CREATE, INSERT, valuesOf } from './sql.js';

// Looking for the file systems that are not used would take a quarter of a second.
globalThis.sqlite3ApiConfig = { disable: { vfs: { opfs: true, 'opfs-wl': true, kvvfs: true } } };

let db;
const statements = {};
const calls = {
  async open() {
    const sqlite = await start({ print() {}, printErr() {} });
    const pool = await sqlite.installOpfsSAHPoolVfs({ name: 'bench' });
    db = new pool.OpfsSAHPoolDb('/bench.db');
    if (VARIANT === 'wal')
      db.exec('pragma locking_mode=exclusive; pragma journal_mode=wal; pragma synchronous=normal');
    db.exec('pragma cache_size=-50000');
    db.exec(CREATE);
    statements.get = db.prepare(`select ${COLUMNS} from cities where id = ?`);
    statements.update = db.prepare('update cities set population = ? where id = ?');
    statements.top = db.prepare(
      `select ${COLUMNS} from cities where country = ? order by population desc limit ?`,
    );
    statements.count = db.prepare('select count(*) from cities where country = ?');
  },
  bulk(rows) {
    const insert = db.prepare(INSERT);
    db.exec('begin');
    for (const row of rows) insert.bind(valuesOf(row)).stepReset();
    db.exec('commit');
    insert.finalize();
  },
  count(country) {
    statements.count.bind([country]).step();
    const count = statements.count.get(0);
    statements.count.reset();
    return count;
  },
  get(id) {
    const row = statements.get.bind([id]).step() ? statements.get.get({}) : undefined;
    statements.get.reset();
    return row;
  },
  update(id, { population }) {
    statements.update.bind([population, id]).stepReset();
  },
  top(country, count) {
    const rows = [];
    statements.top.bind([country, count]);
    while (statements.top.step()) rows.push(statements.top.get({}));
    statements.top.reset();
    return rows;
  },
};

self.onmessage = async ({ data: [id, name, args] }) => {
  try {
    postMessage([id, await calls[name](...args)]);
  } catch (error) {
    postMessage([id, null, String(error?.stack ?? error)]);
  }
};
