// What the database of this page has in storage (docs/internals.md, section 3), read with none of the package's code.
import { looking, settled } from './bare.ts';
import { database, db, kind } from './database.ts';

interface Pointer {
  readonly generation: string;
  readonly mount: string;
  readonly parts: readonly { readonly file: string; readonly bytes: number }[];
  readonly n: number;
  readonly recordBytes?: number;
}
interface Sync {
  readonly n: number;
  readonly image: Pointer | null;
  readonly recordBytes?: number;
}
interface Named {
  readonly id: string;
}
interface StoredRecord {
  readonly confirmed: readonly Named[];
  readonly body: Uint8Array;
}

/** Compaction begins at so many records, or bytes of them; for a small image, at fewer bytes (docs/sync-worker.md, section 1). */
const COMPACTION_RECORDS = 200;
const COMPACTION_BYTES = 4 << 20;
const SYNC_LIMIT_MS = 60_000;

export const syncRecord = () =>
  looking(database, ['sync'], (tx) => settled<Sync>(tx.objectStore('sync').get('sync')));

/** All that a cold start reads: the image that the pointer names, and the records since. */
export async function coldBytes(): Promise<Uint8Array> {
  const { image } = await syncRecord();
  if (!image) throw new Error('there is no image');
  const mount = `/${database}/${image.mount}`;
  const parts: Uint8Array[] = [];
  for (const { file, bytes } of image.parts) {
    const files = await filesOf(mount, `${image.generation}.${file}`);
    const found = files.reduce((sum, { length }) => sum + length, 0);
    if (found !== bytes) throw new Error(`part ${file} has ${found} bytes instead of ${bytes}`);
    parts.push(...files);
  }
  const others = ['mutations', 'outbox', 'conflicts'];
  await looking(database, ['updates', ...others], async (tx) => {
    const above = IDBKeyRange.lowerBound(image.n, true);
    const records = settled<StoredRecord[]>(tx.objectStore('updates').getAll(above));
    const counts = others.map((name) => settled(tx.objectStore(name).count()));
    parts.push(...(await records).map(({ body }) => body));
    if ((await Promise.all(counts)).some((count) => count > 0))
      throw new Error('a cold start would read more than image and records');
  });
  return joined(parts);
}

/** Files of a part of an image: `<mount>/<file>.0` and so on. */
function filesOf(mount: string, file: string): Promise<Uint8Array[]> {
  return looking(mount, ['FILE_DATA'], async (tx) => {
    const files: Uint8Array[] = [];
    for (;;) {
      const path = `${mount}/${file}.${files.length}`;
      const entry: { contents: Uint8Array } | undefined = await settled(
        tx.objectStore('FILE_DATA').get(path),
      );
      if (!entry) return files;
      const { buffer, byteOffset, byteLength } = entry.contents;
      files.push(new Uint8Array(buffer, byteOffset, byteLength));
    }
  });
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

/** The records that hold these mutations, as they were written: what the floor appends. */
export async function recordsOf(ids: readonly string[]): Promise<unknown[]> {
  const store = kind === 'local' ? 'updates' : 'mutations';
  const values = await looking(database, [store], (tx) => settled(tx.objectStore(store).getAll()));
  const wanted = new Set(ids);
  const idsOf = (value: StoredRecord | Named) =>
    'confirmed' in value ? value.confirmed.map(({ id }) => id) : [value.id];
  const records = (values as (StoredRecord | Named)[]).filter((value) =>
    idsOf(value).some((id) => wanted.has(id)),
  );
  const held = records.flatMap(idsOf);
  if (held.length !== ids.length || !held.every((id) => wanted.has(id)))
    throw new Error(
      `the records in ${store} hold ${held.length} mutations, not these ${ids.length}`,
    );
  return records;
}

/** Fails unless storage has each of these mutations: pending, grouped or confirmed. */
export async function checkStored(ids: readonly string[]): Promise<void> {
  const found = await looking(database, ['mutations', 'outbox', 'updates'], async (tx) => {
    const all = <T>(store: string) => settled<T[]>(tx.objectStore(store).getAll());
    const [mutations, outbox, updates] = await Promise.all([
      all<Named>('mutations'),
      all<{ mutations: Named[] }>('outbox'),
      all<StoredRecord>('updates'),
    ]);
    const lists = [mutations, ...outbox.map((update) => update.mutations)];
    return new Set(
      [...lists, ...updates.map(({ confirmed }) => confirmed)].flat().map(({ id }) => id),
    );
  });
  const lost = ids.filter((id) => !found.has(id));
  if (lost.length > 0)
    throw new Error(`${lost.length} of ${ids.length} durable mutations are not in storage`);
}

function isDue({ n, image, recordBytes = 0 }: Sync): boolean {
  const imageBytes = (image?.parts ?? []).reduce((sum, { bytes }) => sum + bytes, 0);
  const worth = Math.min(COMPACTION_BYTES, Math.max(imageBytes / 4, COMPACTION_BYTES / 16));
  return (
    n - (image?.n ?? 0) >= COMPACTION_RECORDS || recordBytes - (image?.recordBytes ?? 0) >= worth
  );
}

/** Waits until nothing is left to be compacted: the worker says on the channel when it has made an image. */
async function compacted(): Promise<Sync> {
  const channel = new BroadcastChannel(database);
  try {
    for (;;) {
      const published = new Promise<void>((resolve) => {
        channel.onmessage = ({ data }) => {
          if (data.type === 'image') resolve();
        };
      });
      const sync = await syncRecord();
      if (!isDue(sync)) return sync;
      await published;
    }
  } finally {
    channel.close();
  }
}

/** Waits until the worker has nothing to do, so that the floor is measured beside nobody. */
export async function quiet(): Promise<void> {
  if (kind === 'synced') await db.sync.waitForSync({ timeoutMs: SYNC_LIMIT_MS });
  await compacted();
  const { error } = db.sync.status;
  if (error) throw error;
}

/** Compacts everything: writes records that change nothing of interest until it is worth it. */
export async function compactAll(): Promise<void> {
  const { n, image } = await compacted();
  if (n === image?.n) return;
  const [id = ''] = db.cities.limit(1).ids();
  for (let left = COMPACTION_RECORDS - (n - (image?.n ?? 0)); left > 0; left--)
    await db.transact((tx) => tx.cities.update(id, { lat: left / 100 })).durable;
  const after = await compacted();
  if (after.n !== after.image?.n) throw new Error('the image does not hold everything');
}
