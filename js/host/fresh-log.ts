/**
 * Chromium stores what belongs to an origin in one log of LevelDB. If the browser or the machine dies in the middle of a
 * write, the last record is torn. The next start skips it and appends after it. The start after that takes the log
 * for damaged, and drops all databases of the origin ("checksum mismatch", event.dataLoss "total"). Chromium 156 does so
 * whatever a page does; test/browser/torn-log.test.ts shows it.
 *
 * Deleting a database makes LevelDB write its content into a table and begin a new log. So each window and each worker
 * keeps a small database for the next start, deletes it before it opens its own, and writes nothing before that. Chromium
 * does this in the background, and no event tells of its end. But making the small database again takes two more writes to the
 * disk for each of its versions, and such a write waits for the disk as the new log does. With ten busy processes on two
 * processors, the new log was there before the end of the last of four versions in each of 40 starts (with one version: in 24 of 25).
 *
 * One case is left: Chromium itself appends to the torn log when it opens the databases. If it dies between that and the
 * new log (2 to 110 ms, mostly less than 15), it drops all databases at the next start: what was stored before the start is lost.
 */
import { inTime, listen, storageTimeout } from './idb-request.ts';

const name = 'skerry-fresh-log';
const limitMs = 2000;
const versions = 4;

let begun: Promise<void> | undefined;

/**
 * Resolves when what is written from here on lies in a fresh log, or cannot be waited for any longer. The first call
 * begins one. In engines that store data in another way nothing is done.
 */
export function freshLog(): Promise<void> {
  const isChromium =
    typeof IDBVersionChangeEvent === 'function' && 'dataLoss' in IDBVersionChangeEvent.prototype;
  begun ??= isChromium ? begin() : Promise.resolve();
  return begun;
}

/** A browser in which it fails or stands still works on, as unsafe as it was. */
function begin(): Promise<void> {
  const late = () => storageTimeout(`It takes longer than ${limitMs} ms.`);
  return inTime<void>(limitMs, late, 'storage_failed', (resolve, reject) => {
    const drop = (then: (version: number) => void) => {
      const request = indexedDB.deleteDatabase(name);
      listen(request, () => {}, reject);
      request.onsuccess = (event) => then((event as IDBVersionChangeEvent).oldVersion);
    };
    const make = (then: () => void, version = 1) => {
      const opened = (database: IDBDatabase) => {
        database.close();
        if (version < versions) make(then, version + 1);
        else then();
      };
      // Another window or worker begins it at the same time, and is ahead: its writes are as good.
      const failed = (error: unknown) =>
        (error as DOMException | null)?.name === 'VersionError' ? then() : reject(error);
      listen(indexedDB.open(name, version), opened, failed);
    };
    // Where none was there nothing was deleted: the last start has ended before it could make it.
    drop((version) => (version > 0 ? make(resolve) : make(() => drop(() => make(resolve)))));
  }).catch((error: unknown) => console.warn('skerry: IndexedDB begins no fresh log.', error));
}
