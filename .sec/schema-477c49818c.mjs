import { schema, t, table } from 'skerry';
export default schema(
  {
    notes: table({
      title: t.string(),
      body: t.string().optional(),
      n: t.number().optional(),
      d: t.date().optional(),
      j: t.json().optional(),
      key: t.string().optional(),
    }),
    settings: table({ value: t.string() }, { id: t.string() }),
    groups: table({ name: t.string() }, { id: t.string() }),
    members: table(
      { group: t.ref('groups', { onDelete: 'cascade', touch: true }), person: t.string() },
      { id: t.string() },
    ),
    emails: table({ email: t.string().index({ unique: true }) }, { id: t.string() }),
  },
  { version: 1 },
);
