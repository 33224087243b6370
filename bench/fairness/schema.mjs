// The tables of the benchmark of fairness.

const prop = (name, type, optional = true) => ({
  name,
  type,
  optional,
  index: false,
  unique: false,
});
const table = (name, ids, props) => ({ name, ids, autosubscribe: false, props });

export const schema = {
  version: 1,
  accepts: [],
  tables: [
    table('notes', 'uuid', [
      prop('title', 'string', false),
      prop('body', 'string'),
      prop('n', 'number'),
      prop('extra', 'json'),
    ]),
    table('settings', 'string', [prop('value', 'string', false)]),
  ],
};
