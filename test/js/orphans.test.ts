/** Image databases that a killed worker has left behind; on memory hosts. */
import { expect, test } from 'vitest';
import { connect, world } from './account-world.ts';

const database = 'skerry/test/anna';

test('a starting worker deletes unnamed images, and none that another is writing', async () => {
  const { host } = world();
  const more = { defaultRealm: 'public' };
  const before = await connect(host, 'anna', more);
  await before.sync.now();
  await before.close();
  const storage = await host.storage.open(database, () => {});
  await storage.transact(
    { stores: ['sync'], mode: 'readwrite', reads: [{ store: 'sync', get: 'sync' }] },
    ([sync]) => {
      const generations = [{ generation: 'written-now', lease: 'image', epoch: 7 }];
      const put = { ...(sync as object), generations };
      return { type: 'write', writes: [{ store: 'sync', key: 'sync', put }] };
    },
  );
  storage.close();
  for (const generation of ['written-now', 'left-behind'])
    host.storage.writeFile(`/${database}/${generation}`, '/rows', new Uint8Array(1));
  await connect(host, 'anna', more);
  await expect.poll(() => host.storage.listFiles(database)).toEqual([`/${database}/written-now`]);
});
