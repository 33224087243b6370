// PostgreSQL in the page, its files in IndexedDB. VARIANT `relaxed`: a query does not wait until they are written.
import { PGlite } from '@electric-sql/pglite';
import { live } from '@electric-sql/pglite/live';

const CREATE = `
  create table if not exists cities(
    id text primary key, name text, country text, lat float8, lon float8, population int,
    "adminCode" text, "featureCode" text, "cityId" int
  );
  create index if not exists largest on cities(country, population);`;
const topSql = (count) =>
  `select * from cities where country = $1 order by population desc limit ${count}`;

let db;
const rowsOf = async (sql, values) => (await db.query(sql, values)).rows;
const quoted = (text) => `"${String(text).replaceAll('"', '""')}"`;
const lineOf = (row) =>
  [
    row.id,
    quoted(row.name),
    quoted(row.country),
    row.lat,
    row.lon,
    row.population,
    quoted(row.adminCode),
    quoted(row.featureCode),
    row.cityId,
  ].join(',');

export default {
  async open() {
    const relaxedDurability = VARIANT === 'relaxed';
    db = await PGlite.create({
      dataDir: 'idb://bench',
      extensions: { live },
      relaxedDurability,
    });
    await db.exec(CREATE);
  },
  async bulk(rows) {
    const blob = new Blob([rows.map(lineOf).join('\n')]);
    await db.query("copy cities from '/dev/blob' with (format csv)", [], { blob });
    await db.syncToFs();
  },
  count: async (country) =>
    (await rowsOf('select count(*)::int as n from cities where country = $1', [country]))[0].n,
  get: async (id) => (await rowsOf('select * from cities where id = $1', [id]))[0],
  update: (id, { population }) =>
    db.query('update cities set population = $2 where id = $1', [id, population]),
  top: (country, count) => rowsOf(topSql(count), [country]),
  async live(country, count, told) {
    const query = await db.live.query(topSql(count), [country], ({ rows }) => told(rows));
    told(query.initialResults.rows);
    return () => query.unsubscribe();
  },
};
