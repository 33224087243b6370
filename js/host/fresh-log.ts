/**
 * Chromium stores what belongs to an origin in one log of LevelDB. If the browser or the machine dies in the middle of a
 * write, the last record is torn. The next start skips it and appends after it. The start after that takes the log
 * for damaged, and drops all databases of the origin ("checksum mismatch", event.dataLoss "total"). Chromium 156 does so
 * whatever a page does; test/browser/torn-log.test.ts shows it.
 *
 * Deleting a database makes LevelDB write its content into a table and begin a new log before the next start. This takes
 * 12 to 30 ms, even for an empty database.
 */
const name = 'skerry-fresh-log';

/** Does nothing in engines that store data in another way. No caller waits for it, and a failure changes nothing. */
export function beginFreshLog(): void {
  if (!('dataLoss' in IDBVersionChangeEvent.prototype)) return;
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore('none');
  request.onsuccess = () => {
    request.result.close();
    indexedDB.deleteDatabase(name);
  };
}
