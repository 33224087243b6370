// The table of the systems that are SQLite.

const NAMES = [
  'id',
  'name',
  'country',
  'lat',
  'lon',
  'population',
  'adminCode',
  'featureCode',
  'cityId',
];

export const COLUMNS = NAMES.join(', ');
export const CREATE = `
  create table if not exists cities(
    id text primary key, name text, country text, lat real, lon real, population int,
    adminCode text, featureCode text, cityId int
  ) without rowid;
  create index if not exists largest on cities(country, population);`;
export const INSERT = `insert into cities values(${NAMES.map(() => '?').join(', ')})`;
export const valuesOf = (row) => NAMES.map((name) => row[name]);
