// A committer over an empty database with the tests' schema, without a server around it.

import { Authority } from '../../../server/src/authority/authority.ts';
import type { Database } from '../../../server/src/db/database.ts';
import { prepare } from '../../../server/src/prepare.ts';
import { Committer } from '../../../server/src/push/commit.ts';
import { withMembers } from '../../../server/src/sql/members.ts';
import { type SqlSchema, sqlSchema } from '../../../server/src/sql/tables.ts';
import { openTestDatabase } from './database.ts';
import { testSchema } from './schemas.ts';

export interface Committing {
  readonly database: Database;
  readonly authority: Authority;
  readonly schema: SqlSchema;
  readonly committer: Committer;
  close(): Promise<void>;
}

export async function openCommitter(
  options?: ConstructorParameters<typeof Committer>[3],
): Promise<Committing> {
  const described = withMembers(testSchema);
  const schema = sqlSchema(described);
  const database = await openTestDatabase();
  await prepare(database, described, () => {});
  const authority = await Authority.load(described);
  return {
    ...{ database, authority, schema },
    committer: new Committer(database, authority, schema, options),
    async close() {
      await database.close();
      await authority.close();
    },
  };
}
