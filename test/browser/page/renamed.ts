// Commands for a window whose schema is `renamed-schema.ts`: those of hub.ts under the names of that release.
import type { Database } from 'skerry';
import type { renamedTables } from './renamed-schema.ts';

const renamedDb = () => db as unknown as Database<typeof renamedTables, Record<string, never>>;

export const renamed = {
  entries: () =>
    renamedDb()
      .entries.orderBy('id')
      .all()
      .map(({ id, title, position }) => ({ id, title, rank: position })),
  /** As `burst`. */
  async raise(counter: string, titles: readonly string[]): Promise<void> {
    const made = titles.map((title) =>
      renamedDb().transact((tx) => {
        tx.entries.inc(counter, { position: 1 });
        tx.entries.create({ title: `${counter} ${title}` });
      }),
    );
    await Promise.all(made.map(({ durable }) => durable));
  },
};
