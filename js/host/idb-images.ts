/** What is left of images that were given up, in IDBFS's databases: a Worker that makes images removes it. */
import { deleteIdbfs, inIdbfs, listDatabases, mountsOf } from './idb-files.ts';

const timeLimitMs = 10_000;
/** Beside the files: the number of the image's draft (wasm/image.cc). */
const numberKey = 'number';

/**
 * Removes an image from its mount, unless one with this number or a higher one was written there: in one transaction, as
 * the writing of an image is one.
 */
export function emptyMount(mount: string, number: number): Promise<void> {
  return inIdbfs(mount, 'readwrite', timeLimitMs, (store) => {
    const get = store.get(numberKey);
    get.onsuccess = () => {
      if (get.result >= number) return;
      store.clear();
      store.put(number, numberKey);
    };
  });
}

/**
 * Deletes the images that former releases have made, each a database under the name of its generation: the `named` ones,
 * and, where the engine can list databases, all but those to `keep`, also those whose client was deleted without them. One
 * that is held is deleted when it is released.
 */
export async function deleteFormerImages(
  database: string,
  named: readonly string[],
  keep: readonly string[],
): Promise<void> {
  const paths = (generations: readonly string[]) => generations.map((one) => `/${database}/${one}`);
  const kept = [...mountsOf(database), ...paths(keep)];
  const all = await listDatabases();
  const isLeft = (path: string) => {
    const owner = path.slice(1, path.lastIndexOf('/'));
    return path.startsWith('/skerry/') && (owner === database || !all.includes(owner));
  };
  for (const path of new Set([...paths(named), ...all.filter(isLeft)]))
    if (!kept.includes(path)) await deleteIdbfs(path, timeLimitMs);
}
