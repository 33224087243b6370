// Deleting a client's database with its images (js/host/idb-files.ts, idb-images.ts): only IndexedDB has databases of images.
import { accountsOf } from '../../../js/host/account.ts';
import { deleteFormerImages } from '../../../js/host/idb-images.ts';
import { databaseSchema } from '../../../js/host/idb-schema.ts';
import { indexedDbStorage } from '../../../js/host/indexeddb.ts';
import { type ContractCase, equal, rejection } from '../../contract/check.ts';

const host = indexedDbStorage();
const accounts = accountsOf(databaseSchema);

/** A client's database, whose record `sync` is this, and databases of images with one file each. */
async function make(name: string, sync: object | null, mounts: readonly string[]): Promise<void> {
  const storage = await host.open(name, () => {});
  if (sync) storage.putNow('sync', 'sync', sync);
  await storage.transact({ stores: ['sync'], mode: 'readonly', reads: [] }, () => ({
    type: 'write',
    writes: [],
  }));
  storage.close();
  for (const mount of mounts)
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.open(mount, 21);
      request.onupgradeneeded = () => {
        request.result.createObjectStore('FILE_DATA').put('an image', `${mount}/rows.0`);
      };
      request.onsuccess = () => {
        request.result.close();
        resolve();
      };
      request.onerror = () => reject(request.error);
    });
}

/** Those whose names have this in them. */
async function databases(part: string): Promise<string[]> {
  const all = (await indexedDB.databases()).map(({ name = '' }) => name);
  return all.filter((name) => name.includes(part)).sort();
}

const mountsOf = (name: string) => ['1', '2', '3'].map((mount) => `/${name}/${mount}`);

function deletionCase(title: string, run: (name: string) => Promise<void>): ContractCase {
  return {
    name: `IndexedDB: ${title}`,
    async run() {
      const name = `skerry/deletion/${Math.random().toString(36).slice(2)}`;
      try {
        await run(name);
      } finally {
        for (const left of await databases(name)) indexedDB.deleteDatabase(left);
      }
    },
  };
}

/** The ways in which a database is deleted. */
const ways: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
  delete: (name) => host.delete(name),
  deleteIf: (name) => accounts.deleteIf(name, [{ store: 'sync', count: true }], () => true),
};

/** What happens to databases while `run` does, in its order. */
async function deletionsOf(run: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  const { deleteDatabase } = IDBFactory.prototype;
  IDBFactory.prototype.deleteDatabase = function (name) {
    seen.push(`asked ${name}`);
    const request = deleteDatabase.call(this, name);
    request.addEventListener('success', () => seen.push(`gone ${name}`));
    return request;
  };
  try {
    await run();
  } finally {
    IDBFactory.prototype.deleteDatabase = deleteDatabase;
  }
  return seen;
}

export const deletions: readonly ContractCase[] = [
  ...Object.entries(ways).flatMap(([way, remove]) => [
    deletionCase(`${way}: the images are gone before the database is asked for`, async (name) => {
      await make(name, { v: 1 }, mountsOf(name));
      const seen = await deletionsOf(() => remove(name));
      equal(seen.slice(0, 6).sort(), [
        ...mountsOf(name).map((mount) => `asked ${mount}`),
        ...mountsOf(name).map((mount) => `gone ${mount}`),
      ]);
      equal(seen.slice(6), [`asked ${name}`, `gone ${name}`]);
      equal(await databases(name), []);
    }),
    deletionCase(`${way}: its images go by their names, without a list`, async (name) => {
      await make(name, { v: 1 }, mountsOf(name));
      await make(`${name}0`, { v: 1 }, mountsOf(`${name}0`));
      const { databases: list } = IDBFactory.prototype;
      IDBFactory.prototype.databases = () => Promise.reject(new Error('There is no list.'));
      try {
        await remove(name);
      } finally {
        IDBFactory.prototype.databases = list;
      }
      equal(await databases(name), [...mountsOf(`${name}0`), `${name}0`]);
    }),
    deletionCase(
      `${way}: images of a former release go as long as there may be any`,
      async (name) => {
        for (const sync of [{ v: 1, generations: [] }, null]) {
          await make(name, sync, [`/${name}/2`, `/${name}/0190aa`]);
          await make(`${name}0`, null, [`/${name}0/0190aa`]);
          await remove(name);
          equal(await databases(name), [`/${name}0/0190aa`, `${name}0`]);
          await host.delete(`${name}0`);
        }
      },
    ),
  ]),
  deletionCase('what is decided against stays, with its images', async (name) => {
    await make(name, { v: 1 }, mountsOf(name));
    equal(await accounts.deleteIf(name, [{ store: 'sync', get: 'sync' }], () => false), false);
    equal(await databases(name), [...mountsOf(name), name]);
  }),
  deletionCase(
    'a database that cannot be read is deleted only without a condition',
    async (name) => {
      await make(name, { v: 1 }, mountsOf(name));
      const { get } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.get = () => {
        throw new DOMException('The disk is damaged.', 'UnknownError');
      };
      try {
        await rejection(ways['deleteIf']?.(name) as Promise<unknown>);
        equal(await databases(name), [...mountsOf(name), name]);
        await host.delete(name);
      } finally {
        IDBObjectStore.prototype.get = get;
      }
      equal(await databases(name), []);
    },
  ),
  deletionCase(
    'what former releases have left is deleted by a worker, and no mount is',
    async (name) => {
      const gone = `${name}-gone`;
      await make(name, { v: 1 }, [...mountsOf(name), `/${name}/0190aa`, `/${name}/0190bb`]);
      await make(`${name}0`, null, [`/${name}0/0190cc`, `/${name}0/1`]);
      await make(gone, null, [`/${gone}/0190dd`, `/${gone}/1`]);
      await new Promise((resolve) => {
        indexedDB.deleteDatabase(gone).onsuccess = resolve;
      });
      await deleteFormerImages(name, ['0190ee'], ['0190bb']);
      equal(
        await databases(name),
        [
          ...[...mountsOf(name), `/${name}/0190bb`, name],
          ...[`/${name}0/0190cc`, `/${name}0/1`, `${name}0`],
        ].sort(),
      );
    },
  ),
];
