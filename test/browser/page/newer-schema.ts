// The schema of a later release, whose server does not take clients of the one before.
import { schema } from 'skerry';
import { tables } from './schema.ts';

export const newerApp = schema(tables, { version: 3 });

export default newerApp;
