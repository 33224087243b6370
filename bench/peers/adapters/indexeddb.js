// IndexedDB's events as promises, for the floors.

export const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export const committed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

export function opened(upgrade) {
  const request = indexedDB.open('bench', 1);
  request.onupgradeneeded = () => upgrade(request.result);
  return settled(request);
}
