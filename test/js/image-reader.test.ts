/** Reading a client's image out of its files: parts over several files, an early start, and files that are not as they were written. */
import { describe, expect, test } from 'vitest';
import { ImageReader } from '../../js/host/image-reader.ts';
import { MemoryStorageHost } from '../../js/host/memory/memory-storage.ts';

const database = 'skerry/test/local';
const mount = `/${database}/2`;
const fileBytes = 4 << 20;

function written(bytes: number): { host: MemoryStorageHost; whole: Uint8Array } {
  const host = new MemoryStorageHost();
  const whole = Uint8Array.from({ length: bytes }, (_, i) => (i * 31) % 251);
  for (let i = 0; i * fileBytes < bytes; i++) {
    const file = whole.subarray(i * fileBytes, (i + 1) * fileBytes);
    host.writeFile(mount, `${mount}/g1.rows.${i}`, file);
  }
  return { host, whole };
}
const pointer = (bytes: number, generation = 'g1') => ({
  generation,
  mount: '2',
  parts: [{ file: 'rows', bytes, checksum: '' }],
});

describe('an image', () => {
  test('comes back whole, from one file or several', async () => {
    for (const bytes of [10, fileBytes, fileBytes + 1, 2 * fileBytes + 5]) {
      const { host, whole } = written(bytes);
      const [part] = new ImageReader(host, database).read(pointer(bytes));
      expect(part?.bytes).toBe(bytes);
      const files = await Promise.all(part?.files ?? []);
      expect(Buffer.concat(files).equals(whole), `${bytes} bytes`).toBe(true);
    }
  });

  test('that lacks a file, or has one of another length, is corrupt', async () => {
    const { host } = written(fileBytes + 10);
    const read = (bytes: number, generation?: string) =>
      Promise.all(
        new ImageReader(host, database)
          .read(pointer(bytes, generation))
          .flatMap(({ files }) => files),
      );
    for (const bytes of [fileBytes + 9, fileBytes + 11, 3 * fileBytes, 5]) {
      await expect(read(bytes), `${bytes} bytes`).rejects.toMatchObject({
        name: 'CorruptImageError',
      });
    }
    await expect(read(10, 'gone')).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('whose mount has another one by now is not there', async () => {
    const { host } = written(10);
    host.emptyFiles(mount);
    host.writeFile(mount, `${mount}/g2.rows.0`, new Uint8Array(10));
    const read = (generation: string) =>
      Promise.all(
        new ImageReader(host, database).read(pointer(10, generation)).flatMap(({ files }) => files),
      );
    await expect(read('g1')).rejects.toMatchObject({ code: 'corrupt' });
    expect(await read('g2')).toEqual([new Uint8Array(10)]);
  });

  test('of a former release is in a mount of its own', async () => {
    const host = new MemoryStorageHost();
    host.writeFile(`/${database}/g1`, `/${database}/g1/rows.0`, new Uint8Array([1, 2]));
    const { mount: _, ...former } = pointer(2);
    for (const one of [former, { ...former, mount: null }]) {
      const [part] = new ImageReader(host, database).read(one);
      expect(await part?.files[0]).toEqual(new Uint8Array([1, 2]));
    }
  });

  test('is read before it is requested; another generation is read again', async () => {
    const { host, whole } = written(100);
    const storage = await host.open(database, () => {});
    const record = { image: pointer(100) };
    await storage.transact({ stores: ['sync'], mode: 'readwrite', reads: [] }, () => ({
      type: 'write',
      writes: [{ store: 'sync', put: record, key: 'sync' }],
    }));
    const reader = new ImageReader(host, database);
    await reader.begin(storage);
    host.emptyFiles(mount);
    const [part] = reader.read(pointer(100));
    expect(await part?.files[0]).toEqual(whole);
    const [gone] = reader.read(pointer(100));
    await expect(gone?.files[0]).rejects.toMatchObject({ code: 'corrupt' });
  });
});
