// A search through everything that this profile stores, past the package.

function has(value: unknown, wanted: string): boolean {
  if (typeof value === 'string') return value.includes(wanted);
  if (value instanceof ArrayBuffer) return has(new Uint8Array(value), wanted);
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return new TextDecoder('latin1').decode(bytes).includes(wanted);
  }
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, each]) => key.includes(wanted) || has(each, wanted));
}

function finished<V>(request: IDBRequest<V>): Promise<V> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** The databases, and their stores, in which the text is anywhere, as UTF-8 or as a string: `<database> <store>`. */
export async function storesHolding(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const { name = '' } of await indexedDB.databases()) {
    const database = await finished(indexedDB.open(name));
    database.onversionchange = () => database.close();
    for (const store of database.objectStoreNames) {
      const all = database.transaction(store).objectStore(store).getAll();
      if (has(await finished(all), text)) found.push(`${name} ${store}`);
    }
    database.close();
  }
  return found;
}
