// What the same work costs with nothing of a library around it: IndexedDB bare, a Map, arrays of objects.

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function committed(tx: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(tx.error);
  });
}

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

/** A bare append of one record, in a transaction of its own. */
export async function appender(
  durability: 'strict' | 'relaxed',
): Promise<(records: readonly unknown[]) => Promise<void>> {
  const db = await openFloor();
  return async (records) => {
    const tx = db.transaction('log', 'readwrite', { durability });
    const store = tx.objectStore('log');
    for (const record of records) store.add(record);
    tx.commit();
    await committed(tx);
  };
}

/** The newest value of a store of any database. */
export async function lastValue(name: string, store: string): Promise<unknown> {
  const db = await settled(indexedDB.open(name));
  try {
    const keys = await settled(db.transaction(store).objectStore(store).getAllKeys());
    const last = keys.at(-1);
    if (last === undefined) return undefined;
    return await settled(db.transaction(store).objectStore(store).get(last));
  } finally {
    db.close();
  }
}

/** How many bytes the values of a store hold in their `body`s. */
export async function bodies(name: string, store: string): Promise<Uint8Array> {
  const db = await settled(indexedDB.open(name));
  try {
    const values = await settled(db.transaction(store).objectStore(store).getAll());
    return joined(values.map((value: { body?: Uint8Array }) => value.body ?? new Uint8Array(0)));
  } finally {
    db.close();
  }
}

/** The files of all image generations of a database, joined. */
export async function imageBytes(database: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const { name } of await indexedDB.databases()) {
    if (!name?.startsWith(`/${database}/`)) continue;
    const db = await settled(indexedDB.open(name));
    const files = await settled(db.transaction('FILE_DATA').objectStore('FILE_DATA').getAll());
    for (const { contents } of files as { contents?: Uint8Array }[])
      if (contents)
        parts.push(new Uint8Array(contents.buffer, contents.byteOffset, contents.byteLength));
    db.close();
  }
  return joined(parts);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
