// Goal: rights are those of the moment that decides: of an answer's snapshot, and of the place in the log at which an
// update stands. Method: the parts of two nodes on one PostgreSQL; one of them commits a removal between two
// statements of the other.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runSql } from '../support/database.ts';
import { city, invite, remove } from '../support/memberships.ts';
import { uuid7, WireClient } from '../support/server.ts';
import { grants, TwoNodes } from '../support/stages.ts';

let nodes: TwoNodes;
beforeAll(async () => {
  nodes = await TwoNodes.open();
});
afterAll(() => nodes.close());

/** A realm of anna's with a row, of which bo is a member. */
async function shared(role: string) {
  const [anna, bo] = [new WireClient('', 'anna'), new WireClient('', 'bo')];
  const realm = uuid7();
  const ops = [
    invite(realm, 'anna', 'owner'),
    invite(realm, 'bo', role),
    city(realm, `known ${realm}`),
  ];
  expect(await nodes.commit(anna, ops)).toMatchObject({ status: 'applied' });
  return { anna, bo, realm };
}

describe('who is removed after the rights were read sees nothing that is written after it', () => {
  const reads = {
    'by a pull': async () => JSON.stringify(await nodes.pull(grants('bo'), {}, false)),
    'by a table': () =>
      nodes.tables.read(grants('bo'), 'cities', { lastUpdateTime: null, exclude: {} }),
  };
  test.each(Object.entries(reads))('%s', async (_, read) => {
    const { anna, realm } = await shared('reader');
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

test('a write that waits for a removal is refused: it is behind it in the log', async () => {
  const { anna, bo, realm } = await shared('writer');
  const waiting = async () => {
    const text = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    return (await runSql(nodes.url, text)).length;
  };
  let written: Promise<unknown> | undefined;
  await nodes.commit(anna, [remove(realm, 'bo')], {
    async alongside() {
      written = nodes.commit(bo, [city(realm)], { node: 0 });
      await expect.poll(waiting).toBe(1);
    },
  });
  expect(await written).toMatchObject({ status: 'rejected', rejected: [{ code: 'forbidden' }] });
});
