// Goal: the folder of images is only a cache: a missing file, or a full disk, does no harm. Method: the store alone,
// on a folder that is deleted.

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isUnavailable, type Queryable } from '../../server/src/db/database.ts';
import { FolderStore, imageUrl, type StoredImage } from '../../server/src/image/folder-store.ts';
import { Folder } from './support/server.ts';

const folder = new Folder();
const images = join(folder.path, 'images');
const none = {} as Queryable;
afterAll(() => folder.remove());

function kept(revision: number, realm = 'public', bytes = 3): StoredImage {
  const name = { realm, epoch: 'e', revision, hash: 'h' };
  const file = `${randomUUID()}.image`;
  return { ...name, at: revision, bytes, url: imageUrl(name), schema: 's', file };
}

test('makes an image again after its file and folder were deleted', async () => {
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

test('keeps four images per realm for many realms, also over a restart', async () => {
  const path = join(folder.path, 'many');
  const store = await FolderStore.open(path, 's');
  const realms = Array.from({ length: 6 }, (_, i) => `team-${i}`);
  for (let revision = 1; revision <= 6; revision++)
    for (const realm of realms) await store.keep(kept(revision, realm), new Uint8Array(3));
  for (const realm of realms) {
    expect(await store.newest(none, realm, 'e')).toMatchObject({ realm, revision: 6 });
    expect(await store.has(kept(3, realm))).toBe(true);
    expect(await store.has(kept(2, realm))).toBe(false);
  }
  const files = () => readdirSync(path).filter((name) => name.endsWith('.image'));
  expect(files()).toHaveLength(24);
  const again = await FolderStore.open(path, 's');
  for (const realm of realms)
    expect(await again.newest(none, realm, 'e')).toMatchObject({ revision: 6 });
  expect(files()).toHaveLength(24);
});

test.each([
  ['bytes', { ofRealm: 4, bytes: 9, files: 100, offeredMs: 0 }],
  ['files', { ofRealm: 4, bytes: 1000, files: 3, offeredMs: 0 }],
])('of all realms together those used longest ago go, by %s', async (name, bounds) => {
  const store = await FolderStore.open(join(folder.path, `few-${name}`), 's', bounds);
  for (const realm of ['a', 'b', 'c']) await store.keep(kept(1, realm), new Uint8Array(3));
  expect(await store.newest(none, 'a', 'e')).not.toBeNull();
  await store.keep(kept(1, 'd'), new Uint8Array(3));
  expect(await store.has(kept(1, 'b'))).toBe(false);
  for (const realm of ['a', 'c', 'd']) expect(await store.has(kept(1, realm))).toBe(true);
});

test('keeps a recently offered image, but within a limit of disk space', async () => {
  const bounds = { ofRealm: 4, bytes: 9, files: 100, offeredMs: 60_000 };
  const path = join(folder.path, 'offered');
  const store = await FolderStore.open(path, 's', bounds);
  for (let i = 0; i < 6; i++) await store.keep(kept(1, `r-${i}`), new Uint8Array(3));
  expect(await store.has(kept(1, 'r-0'))).toBe(true);
  await store.keep(kept(1, 'r-6'), new Uint8Array(3));
  expect(await store.has(kept(1, 'r-1'))).toBe(false);
  expect(await store.has(kept(1, 'r-0'))).toBe(true);
});

test('leaves nothing of an image that could not be written', async () => {
  const store = await FolderStore.open(images, 's');
  const before = readdirSync(images).length;
  const image = kept(3);
  // The last step fails: the listing cannot be renamed.
  mkdirSync(join(images, `${image.file}.json`, 'in the way'), { recursive: true });
  await expect(store.keep(image, new Uint8Array(3))).rejects.toThrow();
  expect(existsSync(join(images, image.file))).toBe(false);
  expect(readdirSync(images)).toHaveLength(before + 1);
  expect(await store.newest(none, 'public', 'e')).toMatchObject({ revision: 2 });
});

test('does not take a missing own file for an unavailable database', () => {
  const missing = (syscall: string) =>
    Object.assign(new Error('no such file'), { code: 'ENOENT', syscall });
  expect(isUnavailable(missing('open'))).toBe(false);
  expect(isUnavailable(missing('connect'))).toBe(true);
});
