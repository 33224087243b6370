// Goal: an answer goes by the rights of its own snapshot. Method: the parts of two nodes on one PostgreSQL; one of them
// commits a removal between two statements of the other.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { city, invite, remove } from '../support/memberships.ts';
import { uuid7, WireClient } from '../support/server.ts';
import { grants, TwoNodes } from '../support/stages.ts';

let nodes: TwoNodes;
beforeAll(async () => {
  nodes = await TwoNodes.open();
});
afterAll(() => nodes.close());

/** A realm of anna's with a row, of which bo is a member. */
async function shared() {
  const [anna, realm] = [new WireClient('', 'anna'), uuid7()];
  const ops = [
    invite(realm, 'anna', 'owner'),
    invite(realm, 'bo', 'reader'),
    city(realm, `known ${realm}`),
  ];
  expect(await nodes.commit(anna, ops)).toMatchObject({ status: 'applied' });
  return { anna, realm };
}

describe('a user removed after the rights were read sees nothing written after that', () => {
  const reads = {
    'by a pull': async () => JSON.stringify(await nodes.pull(grants('bo'), {}, false)),
    'by a table': () =>
      nodes.tables.read(grants('bo'), 'cities', { lastUpdateTime: null, exclude: {} }),
  };
  test.each(Object.entries(reads))('%s', async (_, read) => {
    const { anna, realm } = await shared();
    const secret = `secret ${uuid7()}`;
    nodes.after('skerry.membership', async () => {
      const ops = [remove(realm, 'bo'), city(realm, secret)];
      expect(await nodes.commit(anna, ops)).toMatchObject({ status: 'applied' });
    });
    const answer = await read();
    expect(nodes.isWatching).toBe(false);
    expect(answer).toContain('known');
    expect(answer).not.toContain(secret);
    expect(await read()).not.toContain('known');
  });
});
