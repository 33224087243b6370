// Collections of TanStack DB over the tables of the page's database, in a script of their own: no other test needs them.
import { createCollection, eq, liveQueryCollectionOptions } from '@tanstack/db';
import { skerryCollectionOptions } from 'skerry/tanstack';

async function open() {
  const lists = createCollection(skerryCollectionOptions({ db, table: 'lists' }));
  const notes = createCollection(skerryCollectionOptions({ db, table: 'notes' }));
  const inLists = createCollection(
    liveQueryCollectionOptions({
      query: (q) =>
        q
          .from({ note: notes })
          .join({ list: lists }, ({ note, list }) => eq(note.list, list.id), 'inner')
          .select(({ note, list }) => ({ title: note.title, list: list.name })),
    }),
  );
  // A live query that nobody listens to is cleaned up after five seconds.
  inLists.subscribeChanges(() => {});
  await Promise.all([lists.preload(), notes.preload(), inLists.preload()]);
  return { lists, notes, inLists };
}

declare global {
  /** Once `openCollections` has resolved. */
  var collections: Awaited<ReturnType<typeof open>>;
  var openCollections: () => Promise<void>;
}
globalThis.openCollections = async () => {
  globalThis.collections = await open();
};
