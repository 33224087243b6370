// The versions of the database in a release to come, which only tests have: it is bundled in place of js/host/idb-schema.ts
// (support/next-release.ts).
import { type DatabaseSchema, databaseSchema as released } from '../../../js/host/idb-schema.ts';

export * from '../../../js/host/idb-schema.ts';

/** For a test to look at each record as it is rewritten. */
declare global {
  var onRewrite: ((key: unknown) => void) | undefined;
}

function change(value: unknown, key: unknown): unknown {
  globalThis.onRewrite?.(key);
  return { ...(value as object), upgraded: true };
}

export const databaseSchema: DatabaseSchema = [
  ...released,
  [
    { addStore: 'added', autoIncrement: false },
    { rewrite: 'mutations', change },
    { rewrite: 'updates', change },
  ],
];
