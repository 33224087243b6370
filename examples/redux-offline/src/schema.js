// The server keeps the actions of the store; it needs no tables for that.
import { schema } from 'skerry';

export default schema({}, { version: 1 });
