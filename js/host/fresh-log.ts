/**
 * What Chromium stores for an origin lies in one log of LevelDB. Where the browser or the machine dies in the middle of a
 * write, the last record is torn; the next start skips it and appends behind it; and the start after that takes the log
 * for damaged, and drops all databases of the origin ("checksum mismatch", event.dataLoss "total"). Chromium 156 does so
 * whatever a page does; test/browser/torn-log.test.ts shows it.
 *
 * To delete a database makes it write what it has into a table, and begin a log anew, before the next start: 12 to 30 ms,
 * for an empty one too.
 */
const name = 'skerry-fresh-log';

/** Does nothing in engines that store otherwise. Nobody waits for it, and a failure changes nothing. */
export function beginFreshLog(): void {
  if (!('dataLoss' in IDBVersionChangeEvent.prototype)) return;
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore('none');
  request.onsuccess = () => {
    request.result.close();
    indexedDB.deleteDatabase(name);
  };
}
