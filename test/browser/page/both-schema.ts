// The schema of a later release as its server has it while windows of the one before are still open.
import { schema } from 'skerry';
import { tables } from './schema.ts';

export default schema(tables, { version: 3, accepts: [2] });
