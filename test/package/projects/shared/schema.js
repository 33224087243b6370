// What the page and the server know in common.
import { schema, t, table } from 'skerry';

export const app = schema({ notes: table({ text: t.string() }) }, { version: 1 });

export default app;
