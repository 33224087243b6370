// Loaded by the page, and by the server.
import { schema, t, table } from 'skerry';

export default schema({ notes: table({ text: t.string() }) }, { version: 1 });
