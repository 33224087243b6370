/** The contract of js/host/storage.ts. Each case uses a database of its own. */
import {
  type Decision,
  readNow,
  type Storage,
  type StorageEnd,
  type StorageHost,
  type TransactRequest,
  type Write,
} from '../../js/host/storage.ts';
import { type ContractCase, equal, ok, rejection } from './check.ts';

const readwrite: Omit<TransactRequest, 'stores'> = {
  mode: 'readwrite',
  durability: 'strict',
  reads: [],
};

function write(storage: Storage, stores: string[], writes: Write[]) {
  return storage.transact({ ...readwrite, stores }, () => ({ type: 'write', writes }));
}

const getSync = (storage: Storage, key: string) =>
  readNow(storage, [{ store: 'sync', get: key }]).then(([value]) => value);

type Body = (
  open: () => Promise<Storage>,
  host: StorageHost,
  name: string,
  losses: StorageEnd[],
) => Promise<void>;

export function storageContract(
  name: string,
  make: () => StorageHost | Promise<StorageHost>,
): ContractCase[] {
  const contractCase = (title: string, body: Body): ContractCase => ({
    name: `${name}: ${title}`,
    async run() {
      const host = await make();
      const database = `skerry/contract/${Math.random().toString(36).slice(2)}`;
      const opened: Storage[] = [];
      const losses: StorageEnd[] = [];
      const open = async () => {
        const storage = await host.open(database, (loss) => losses.push(loss));
        opened.push(storage);
        return storage;
      };
      try {
        await body(open, host, database, losses);
      } finally {
        for (const storage of opened) storage.close();
        await host.delete(database);
      }
    },
  });
  return [
    contractCase('what one transaction writes the next one reads', async (open) => {
      const storage = await open();
      const value = { text: 'Åre', bytes: Uint8Array.of(1, 2), list: [1, null, true] };
      await write(storage, ['sync'], [{ store: 'sync', put: value, key: 'a' }]);
      equal(await getSync(storage, 'a'), value);
      equal(await getSync(storage, 'b'), null, 'a missing key');
    }),
    contractCase(
      'reopen finds what is there, and makes nothing',
      async (open, host, name, losses) => {
        const onLost = (loss: StorageEnd) => losses.push(loss);
        const error = await rejection(host.reopen(name, onLost));
        equal((error as { code?: unknown }).code, 'closed');
        equal(losses, ['evicted']);
        await write(await open(), ['sync'], [{ store: 'sync', put: 1, key: 'a' }]);
        const storage = await host.reopen(name, onLost);
        equal(await getSync(storage, 'a'), 1);
        storage.close();
        equal(losses, ['evicted']);
      },
    ),
    contractCase('keys of adds come in their order and are never used again', async (open) => {
      const storage = await open();
      const add = (...items: number[]) =>
        write(
          storage,
          ['mutations'],
          items.map((item) => ({ store: 'mutations', add: { item } })),
        );
      const { keys } = await add(1, 2, 3);
      equal([...keys], [keys[0], (keys[0] as number) + 1, (keys[0] as number) + 2]);
      await write(storage, ['mutations'], [{ store: 'mutations', deleteRange: {} }]);
      const { keys: later } = await add(4);
      ok((later[0] as number) > (keys[2] as number), 'a greater key after everything was deleted');
    }),
    contractCase(
      'ranges are ascending, or their last rows descending, bounded and limited',
      async (open) => {
        const storage = await open();
        const writes: Write[] = [5, 1, 4, 2, 3].map((n) => ({
          store: 'updates',
          put: { n },
          key: n,
        }));
        await write(storage, ['updates'], writes);
        const keys = async (range: object) => {
          const [rows] = await readNow(storage, [{ store: 'updates', range }]);
          return (rows as { key: number; value: { n: number } }[]).map(({ key, value }) => {
            equal(value.n, key, 'the value of its key');
            return key;
          });
        };
        equal(await keys({}), [1, 2, 3, 4, 5]);
        equal(await keys({ above: 2 }), [3, 4, 5]);
        equal(await keys({ from: 2, to: 4 }), [2, 3, 4]);
        equal(await keys({ above: 1, limit: 2 }), [2, 3]);
        equal(await keys({ above: 4, to: 2 }), [], 'bounds that cross');
        equal(await keys({ last: true, limit: 2 }), [5, 4]);
        equal(await keys({ last: true, from: 2, to: 4, limit: 1 }), [4]);
        equal(await keys({ last: true, from: 2, to: 4, limit: 3 }), [4, 3, 2]);
        equal(await keys({ last: true, from: 2, to: 4, limit: 9 }), [4, 3, 2]);
        equal(await keys({ last: true, above: 4 }), [5]);
        equal(await keys({ last: true, above: 5, limit: 2 }), []);
        equal(await readNow(storage, [{ store: 'updates', count: true }]), [5]);
      },
    ),
    contractCase(
      'reads decide writes in the same transaction, over several rounds',
      async (open) => {
        const [a, b] = [await open(), await open()];
        const increment = async (storage: Storage) => {
          let round = 0;
          await storage.transact(
            { ...readwrite, stores: ['sync'], reads: [{ store: 'sync', get: 'n' }] },
            (results): Decision => {
              if (round++ === 0) return { type: 'more', reads: [{ store: 'sync', get: 'n' }] };
              return {
                type: 'write',
                writes: [
                  { store: 'sync', put: ((results[0] as number | null) ?? 0) + 1, key: 'n' },
                ],
              };
            },
          );
        };
        await Promise.all(Array.from({ length: 20 }, (_, i) => increment(i % 2 === 0 ? a : b)));
        equal(await getSync(a, 'n'), 20, 'increments through two connections');
      },
    ),
    contractCase('an abort writes nothing and says so', async (open) => {
      const storage = await open();
      const outcome = await storage.transact({ ...readwrite, stores: ['sync'] }, () => ({
        type: 'abort',
      }));
      equal(outcome.committed, false);
    }),
    contractCase('an exception in the decision rolls back and rejects', async (open) => {
      const storage = await open();
      await write(storage, ['sync'], [{ store: 'sync', put: 1, key: 'a' }]);
      await rejection(
        storage.transact({ ...readwrite, stores: ['sync'] }, () => {
          throw new Error('from the decision');
        }),
      );
      equal(await getSync(storage, 'a'), 1);
      await write(storage, ['sync'], [{ store: 'sync', put: 2, key: 'a' }]);
      equal(await getSync(storage, 'a'), 2, 'the storage goes on working');
    }),
    contractCase('one write that cannot be stored undoes all of its transaction', async (open) => {
      const storage = await open();
      await rejection(
        write(
          storage,
          ['sync'],
          [
            { store: 'sync', put: 1, key: 'a' },
            { store: 'sync', put: () => 'a function cannot be cloned', key: 'b' },
          ],
        ),
      );
      equal(await getSync(storage, 'a'), null);
    }),
    contractCase('a stored object is shared with no caller', async (open) => {
      const storage = await open();
      const value = { list: [1] };
      await write(storage, ['sync'], [{ store: 'sync', put: value, key: 'a' }]);
      value.list.push(2);
      equal(await getSync(storage, 'a'), { list: [1] });
    }),
    contractCase('it is still there after closing, and after being suspended', async (open) => {
      const first = await open();
      await write(first, ['sync'], [{ store: 'sync', put: 'kept', key: 'a' }]);
      first.suspend();
      first.resume();
      equal(await getSync(first, 'a'), 'kept', 'after suspend');
      first.close();
      equal((await rejection(getSync(first, 'a'))).code, 'closed');
      equal(await getSync(await open(), 'a'), 'kept', 'in a new connection');
    }),
    contractCase('putNow lands without reading', async (open) => {
      const storage = await open();
      equal(storage.putNow('sync', 'push', { owner: null }), true);
      equal(await getSync(storage, 'push'), { owner: null });
      storage.close();
      equal(storage.putNow('sync', 'push', { owner: 'x' }), false, 'after close');
    }),
    contractCase('addNow lands without reading, behind what was begun before', async (open) => {
      const storage = await open();
      const first = write(storage, ['mutations'], [{ store: 'mutations', add: 'a' }]);
      await Promise.resolve();
      equal(storage.addNow('mutations', ['b', 'c']), true);
      storage.suspend();
      equal(storage.addNow('mutations', ['d']), false, 'after suspend');
      await first.catch(() => {});
      const reader = await open();
      const [rows] = await readNow(reader, [{ store: 'mutations', range: {} }]);
      equal(
        (rows as { value: unknown }[]).map(({ value }) => value).filter((value) => value !== 'a'),
        ['b', 'c'],
      );
    }),
    contractCase(
      'deleting it closes other connections and notifies them',
      async (open, host, database, losses) => {
        const storage = await open();
        await write(storage, ['sync'], [{ store: 'sync', put: 1, key: 'a' }]);
        await host.delete(database);
        equal(losses, ['deleted-or-upgraded']);
        equal((await rejection(getSync(storage, 'a'))).code, 'closed');
        equal(await getSync(await open(), 'a'), null, 'a value of the deleted database');
      },
    ),
    contractCase(
      'a suspended one is notified of a deletion meanwhile, and creates nothing',
      async (open, host, database, losses) => {
        const storage = await open();
        await write(storage, ['sync'], [{ store: 'sync', put: 1, key: 'a' }]);
        storage.suspend();
        equal((await rejection(getSync(storage, 'a'))).code, 'storage_suspended');
        storage.resume();
        equal(await getSync(storage, 'a'), 1, 'after it was suspended');
        storage.suspend();
        await host.delete(database);
        equal(losses, [], 'while it is suspended');
        storage.resume();
        equal((await rejection(getSync(storage, 'a'))).code, 'closed');
        equal(losses, ['deleted-or-upgraded']);
        equal(await getSync(await open(), 'a'), null, 'a value of the deleted database');
      },
    ),
    contractCase(
      'a suspended one does not take a database that others created again for its own',
      async (open, host, database, losses) => {
        const storage = await open();
        await write(storage, ['sync'], [{ store: 'sync', put: 1, key: 'a' }]);
        storage.suspend();
        await host.delete(database);
        const second = await open();
        await write(second, ['sync'], [{ store: 'sync', put: 2, key: 'a' }]);
        storage.resume();
        equal((await rejection(getSync(storage, 'a'))).code, 'closed');
        equal(losses, ['deleted-or-upgraded']);
        equal(await getSync(second, 'a'), 2, 'what others wrote');
      },
    ),
    contractCase(
      'files of an image that is not there are null, and none is made',
      async (_open, host, database) => {
        const read = (...paths: string[]) => Promise.all(host.readFiles(`/${database}/1`, paths));
        equal(await read('/a', '/b'), [null, null]);
        equal(await read('/a'), [null]);
      },
    ),
  ];
}
