// Events and the table that they become, as LiveStore wants them in the page and in its worker.
import { Events, makeSchema, Schema, State } from '@livestore/livestore';

const fields = { type: Schema.String, n: Schema.Number, text: Schema.String };

export const events = {
  said: Events.synced({ name: 'v1.Said', schema: Schema.Struct(fields) }),
};
export const said = State.SQLite.table({
  name: 'said',
  columns: {
    n: State.SQLite.integer({ primaryKey: true }),
    text: State.SQLite.text(),
  },
});
const materializers = State.SQLite.materializers(events, {
  'v1.Said': ({ n, text }) => said.insert({ n, text }),
});
export const schema = makeSchema({
  events,
  state: State.SQLite.makeState({ tables: { said }, materializers }),
});
