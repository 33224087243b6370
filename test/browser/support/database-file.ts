// Databases of IndexedDB as JSON and back, past the package: stores, records and the keys that come next. Bytes are base64,
// long ones compressed.
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Page } from 'puppeteer-core';

export interface DatabaseFile {
  readonly name: string;
  readonly version: number;
  readonly stores: readonly {
    readonly name: string;
    readonly indexes: readonly { readonly name: string; readonly path: string }[];
    /** What an `add` would get; null where keys are not made. */
    readonly next: number | null;
    readonly records: readonly (readonly [key: unknown, value: unknown])[];
  }[];
}

const LONG = 1000;

/** Changes the texts under these members, wherever they are. */
function replaced(value: unknown, from: string, to: (text: string) => [string, string]): unknown {
  if (Array.isArray(value)) return value.map((item) => replaced(item, from, to));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) =>
      key === from ? to(item as string) : [key, replaced(item, from, to)],
    ),
  );
}

const packed = (value: unknown) =>
  replaced(value, '$bytes', (text) =>
    text.length < LONG
      ? ['$bytes', text]
      : ['$gzip', gzipSync(Buffer.from(text, 'base64'), { level: 9 }).toString('base64')],
  );
const unpacked = (value: unknown) =>
  replaced(value, '$gzip', (text) => [
    '$bytes',
    gunzipSync(Buffer.from(text, 'base64')).toString('base64'),
  ]);

/** The database of this name, and those of its images. No window may have them open. */
export async function dumpDatabases(page: Page, name: string): Promise<DatabaseFile[]> {
  const found = await page.evaluate(async (wanted) => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const encode = (value: unknown): unknown => {
      if (ArrayBuffer.isView(value)) {
        const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
        const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
        return { $bytes: btoa(text) };
      }
      if (value instanceof Date) return { $date: value.getTime() };
      if (Array.isArray(value)) return value.map(encode);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item)]));
    };
    const names = (await indexedDB.databases()).map((one) => one.name ?? '').sort();
    const files = [];
    for (const one of names.filter((each) => each === wanted || each.startsWith(`/${wanted}/`))) {
      const raw = await kit.openRaw(one);
      const stores = [];
      for (const store of raw.objectStoreNames) {
        const tx = raw.transaction(store, 'readwrite');
        const objects = tx.objectStore(store);
        const indexes = Array.from(objects.indexNames, (index) => ({
          name: index,
          path: objects.index(index).keyPath as string,
        }));
        const [keys, values] = await Promise.all([
          done(objects.getAllKeys()),
          done(objects.getAll()),
        ]);
        const next = objects.autoIncrement ? ((await done(objects.add({}))) as number) : null;
        tx.abort();
        const records = keys.map((key, i) => [key, encode(values[i])] as const);
        stores.push({ name: store, indexes, next, records });
      }
      files.push({ name: one, version: raw.version, stores });
      raw.close();
    }
    return files;
  }, name);
  return packed(found) as DatabaseFile[];
}

/** Makes the databases as they were. */
export async function restoreDatabases(
  page: Page,
  databases: readonly DatabaseFile[],
): Promise<void> {
  await page.evaluate(async (files) => {
    const decode = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(decode);
      if (typeof value !== 'object' || value === null) return value;
      const { $bytes, $date } = value as { $bytes?: string; $date?: number };
      if ($bytes !== undefined) return Uint8Array.from(atob($bytes), (c) => c.charCodeAt(0));
      if ($date !== undefined) return new Date($date);
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
    };
    for (const { name, version, stores } of files)
      await new Promise<void>((resolve, reject) => {
        const request = indexedDB.open(name, version);
        request.onupgradeneeded = () => {
          for (const store of stores) {
            const autoIncrement = store.next !== null;
            const objects = request.result.createObjectStore(store.name, { autoIncrement });
            for (const index of store.indexes) objects.createIndex(index.name, index.path);
            for (const [key, value] of store.records)
              objects.put(decode(value), key as IDBValidKey);
            if (store.next === null || store.next === 1) continue;
            // A key that is given counts for those that are made.
            const last = store.next - 1;
            if (store.records.some(([key]) => key === last)) continue;
            objects.put({}, last);
            objects.delete(last);
          }
        };
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          request.result.close();
          resolve();
        };
      });
  }, unpacked(databases) as DatabaseFile[]);
}
