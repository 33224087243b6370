// IndexedDB with nothing around it.

export function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export function committed(tx: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(tx.error);
  });
}

/** One readonly transaction over a database that is there. */
export async function looking<T>(
  name: string,
  stores: readonly string[],
  use: (tx: IDBTransaction) => Promise<T>,
): Promise<T> {
  const request = indexedDB.open(name);
  // Without a version the engine makes what it does not find.
  request.onupgradeneeded = () => request.transaction?.abort();
  const db = await settled(request);
  try {
    return await use(db.transaction([...stores]));
  } finally {
    db.close();
  }
}
