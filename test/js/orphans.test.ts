/** Image databases that a killed worker has left behind; on memory hosts. */
import { expect, test } from 'vitest';
import { connect, world } from './account-world.ts';

const database = 'skerry/test/anna';

/** A pointer of the record `sync` to an image without files. */
const pointer = (generation: string) => ({ generation, n: 0, cursors: {}, parts: [] });

/** Each member of the record `sync` that names generations, naming one. */
const naming: readonly (readonly [string, (generation: string) => object])[] = [
  ['image', (generation) => ({ image: pointer(generation) })],
  ['previous', (generation) => ({ previous: pointer(generation) })],
  ['generations', (generation) => ({ generations: [{ generation, lease: 'image', epoch: 7 }] })],
];

test.each(naming)('a starting worker keeps the images that `%s` names', async (_, named) => {
  const { host } = world();
  const more = { defaultRealm: 'public' };
  const before = await connect(host, 'anna', more);
  await before.sync.now();
  await before.close();
  const storage = await host.storage.open(database, () => {});
  await storage.transact(
    { stores: ['sync'], mode: 'readwrite', reads: [{ store: 'sync', get: 'sync' }] },
    ([sync]) => {
      const put = { ...(sync as object), ...named('named') };
      return { type: 'write', writes: [{ store: 'sync', key: 'sync', put }] };
    },
  );
  storage.close();
  for (const generation of ['named', 'left-behind'])
    host.storage.writeFile(`/${database}/${generation}`, '/rows', new Uint8Array(1));
  await connect(host, 'anna', more);
  await expect.poll(() => host.storage.listFiles(database)).toEqual([`/${database}/named`]);
});
