// The messages are a stream; there are no tables.
import { schema } from 'skerry';

export default schema({}, { version: 1 });
