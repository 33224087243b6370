/** An adoption by which a row would be lost is refused, and the local database stays. Method: a package that loses one. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PortableCore } from '../../js/api/account/portable-core.ts';
import { connect, local, world } from './account-world.ts';

const { creating } = PortableCore.prototype;
beforeEach(() => {
  vi.spyOn(PortableCore.prototype, 'creating').mockImplementation(function (
    this: PortableCore,
    ops,
    ...more
  ) {
    return creating.call(this, ops.slice(1), ...more);
  });
});
afterEach(() => vi.restoreAllMocks());

test('an adoption that would lose a row is refused, and the local data stay', async () => {
  const { host } = world();
  const source = await local(host);
  source.mutate.addCity({ id: 'a', name: 'A' });
  await source.mutate.addCity({ id: 'b', name: 'B' }).durable;
  await source.close();
  const db = await connect(host, 'anna', { adoptLocal: true });
  expect(db.sync.status.error).toMatchObject({ code: 'adopt_incomplete' });
  expect(db.cities.count()).toBe(0);
  expect(await host.storage.exists('skerry/test/local')).toBe(true);
});
