// The schema module of the servers that the benchmark of fairness attacks.

const prop = (name, type, more = {}) => ({
  ...{ name, type, optional: true, index: false, unique: false },
  ...more,
});
const kRequired = { optional: false };
const table = (name, ids, props) => ({ name, ids, autosubscribe: false, props });

export default {
  version: 1,
  accepts: [],
  tables: [
    table('notes', 'uuid', [
      prop('title', 'string', kRequired),
      prop('body', 'string'),
      prop('n', 'number'),
      prop('extra', 'json'),
    ]),
    table('settings', 'string', [prop('value', 'string', kRequired)]),
    table('groups', 'string', [prop('name', 'string', kRequired)]),
    table('entries', 'string', [
      prop('group', 'ref', {
        ...kRequired,
        ref: { table: 'groups', onDelete: 'cascade', touch: true },
      }),
    ]),
  ],
};

/** Both keep all that they are given. */
export const reducers = {
  chat: { reducer: (list, message) => [...list, message], initialState: [] },
  score: {
    reducer: (state, { who, points }) => ({ ...state, [who]: (state[who] ?? 0) + points }),
    initialState: {},
  },
};
