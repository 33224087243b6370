// Goal: the folder of images is nothing but a cache: what is missing of it, or finds no room, harms nothing. Method: the
// store alone, on a folder that is taken away.

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isUnavailable, type Queryable } from '../../server/src/db/database.ts';
import { FolderStore, imageUrl, type Kept } from '../../server/src/image/folder-store.ts';
import { Folder } from './support/server.ts';

const folder = new Folder();
const images = join(folder.path, 'images');
const none = {} as Queryable;
afterAll(() => folder.remove());

function kept(revision: number): Kept {
  const name = { realm: 'public', epoch: 'e', revision, hash: 'h' };
  const file = `${randomUUID()}.image`;
  return { ...name, at: revision, bytes: 3, url: imageUrl(name), schema: 's', file };
}

test('an image whose file was taken away is made anew, in a folder that is made anew', async () => {
  const store = await FolderStore.open(images, 's');
  const first = kept(1);
  await store.keep(first, new Uint8Array(3));
  expect(await store.find(first)).toMatchObject({ bytes: 3 });
  rmSync(images, { recursive: true });
  expect(await store.find(first)).toBeNull();
  expect(await store.newest(none, 'public', 'e')).toBeNull();
  const second = kept(2);
  await store.keep(second, new Uint8Array(3));
  expect(await store.find(second)).toMatchObject({ bytes: 3 });
});

test('one that could not be written leaves nothing behind', async () => {
  const store = await FolderStore.open(images, 's');
  const before = readdirSync(images).length;
  const image = kept(3);
  // The last step fails: its listing cannot take its place.
  mkdirSync(join(images, `${image.file}.json`, 'in the way'), { recursive: true });
  await expect(store.keep(image, new Uint8Array(3))).rejects.toThrow();
  expect(existsSync(join(images, image.file))).toBe(false);
  expect(readdirSync(images)).toHaveLength(before + 1);
  expect(await store.newest(none, 'public', 'e')).toMatchObject({ revision: 2 });
});

test('a missing file of our own is not taken for a database that is away', () => {
  const missing = (syscall: string) =>
    Object.assign(new Error('no such file'), { code: 'ENOENT', syscall });
  expect(isUnavailable(missing('open'))).toBe(false);
  expect(isUnavailable(missing('connect'))).toBe(true);
});
