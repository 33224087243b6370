// What the same storage costs with nothing of a library around it: one value read, records appended.
import { committed, settled } from './bare.ts';
import type { durability } from './database.ts';

function openFloor(): Promise<IDBDatabase> {
  const request = indexedDB.open('floor', 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('blob');
    request.result.createObjectStore('log', { autoIncrement: true });
  };
  return settled(request);
}

export async function storeBytes(bytes: Uint8Array): Promise<void> {
  const db = await openFloor();
  const tx = db.transaction('blob', 'readwrite');
  tx.objectStore('blob').put(bytes, 'image');
  await committed(tx);
  db.close();
}

/** Reads what `storeBytes` stored, as one value; gives its length. */
export async function readBytes(): Promise<number> {
  const db = await openFloor();
  const bytes = await settled<Uint8Array>(db.transaction('blob').objectStore('blob').get('image'));
  db.close();
  return bytes.length;
}

/** A bare append of some records, in a transaction of their own. */
export async function appender(
  how: typeof durability,
): Promise<(records: readonly unknown[]) => Promise<void>> {
  const db = await openFloor();
  return async (records) => {
    const tx = db.transaction('log', 'readwrite', { durability: how });
    const store = tx.objectStore('log');
    for (const record of records) store.add(record);
    tx.commit();
    await committed(tx);
  };
}
