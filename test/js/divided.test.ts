/**
 * Rows of an import and of an adoption, divided into mutations by the core: parents first, each row once, within the limits
 * of a mutation. What the core decides in each case is tested in test/core/log/creation_order_test.cc; here with real files
 * and databases.
 */
import { http, open, schema, t, table } from 'skerry';
import { type MemoryHost, memory } from 'skerry/testing';
import { afterEach, expect, test } from 'vitest';

const tree = schema(
  {
    leaves: table({ node: t.ref('nodes', { onDelete: 'cascade' }), text: t.string() }),
    nodes: table(
      { parent: t.ref('nodes', { onDelete: 'cascade' }).optional() },
      { id: t.string() },
    ),
  },
  { version: 1 },
);

const openTree = (host: MemoryHost, more = {}) =>
  open({ name: 'test', schema: tree, host, scopes: 'all', ...more });
type Tree = Awaited<ReturnType<typeof openTree>>;

const opened: Tree[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

/** A database without a user and a server. */
async function local(host: MemoryHost): Promise<Tree> {
  const db = await openTree(host);
  opened.push(db);
  return db;
}

interface Op {
  readonly table: string;
  readonly id: string;
  readonly realm: string;
  readonly set: { readonly parent?: string };
}

/** The ops by which what `fill` writes without a user becomes the user's, by mutation. */
async function adopted(fill: (tx: Parameters<Parameters<Tree['transact']>[0]>[0]) => void) {
  const host = memory();
  host.network.online = false;
  const source = await openTree(host);
  await source.transact(fill).durable;
  await source.close();
  const remote = http('http://server.test/v1', { token: async () => 'dev:anna' });
  const db = await openTree(host, { user: 'anna', adoptLocal: true, remote });
  opened.push(db);
  expect(db.sync.status.error?.code ?? 'network').toBe('network');
  const { content } = JSON.parse(await (await db.export({ pendingOnly: true })).text());
  return (content.mutations as { ops: Op[] }[]).map(({ ops }) => ops);
}

const numbered = (i: number) => `${i}`.padStart(5, '0');

/** Each node refers to the next one. */
const chain = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: numbered(i),
    ...(i + 1 < count && { parent: numbered(i + 1) }),
  }));

test('a deep tree is adopted parents first, over more than one mutation', async () => {
  const mutations = await adopted((tx) => tx.nodes.createMany(chain(1200)));
  expect(mutations.map(({ length }) => length)).toEqual([500, 500, 200]);
  const ids = mutations.flat().map(({ id }) => id);
  expect(ids).toEqual(
    chain(1200)
      .map(({ id }) => id)
      .reverse(),
  );
});

test('a circle of references is adopted whole, and what hangs on it behind it', async () => {
  const mutations = await adopted((tx) => {
    tx.leaves.create({ node: 'b', text: 'leaf' });
    tx.nodes.createMany(['a', 'b', 'c'].map((id, i) => ({ id, parent: 'bca'[i] as string })));
    tx.nodes.create({ id: 'self', parent: 'self' });
  });
  expect(mutations).toHaveLength(1);
  const [ops = []] = mutations;
  expect(
    ops
      .filter(({ table: name }) => name === 'nodes')
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['a', 'b', 'c', 'self']);
  const leaf = ops.findIndex(({ table: name }) => name === 'leaves');
  expect(leaf).toBeGreaterThan(ops.findIndex(({ id }) => id === 'b'));
});

test.each([
  [500, [500]],
  [501, [500, 1]],
])('%i rows are adopted by as many mutations as their number needs', async (count, sizes) => {
  const mutations = await adopted((tx) =>
    tx.nodes.createMany(Array.from({ length: count }, (_, i) => ({ id: numbered(i) }))),
  );
  expect(mutations.map(({ length }) => length)).toEqual(sizes);
});

test('rows of more realms than an update may have are adopted', async () => {
  const realms = Array.from({ length: 101 }, (_, i) => `realm-${i}`);
  const mutations = await adopted((tx) => {
    for (const realm of realms) tx.nodes.create({ id: 'n', realm });
  });
  expect(
    mutations
      .flat()
      .map(({ realm }) => realm)
      .sort(),
  ).toEqual([...realms].sort());
  for (const ops of mutations)
    expect(new Set(ops.map(({ realm }) => realm)).size).toBeLessThanOrEqual(50);
});

test('a large row is adopted alone, and smaller ones fill a mutation to 256 KiB', async () => {
  const mutations = await adopted((tx) => {
    tx.nodes.create({ id: 'n' });
    for (const length of [600_000, 100_000, 100_000, 100_000])
      tx.leaves.create({ node: 'n', text: 'x'.repeat(length) });
  });
  expect(mutations.map(({ length }) => length)).toEqual([1, 1, 2, 1]);
});

test('a file with a deep tree and a circle is imported whole, once however often', async () => {
  const source = await local(memory());
  await source.transact((tx) => {
    tx.nodes.createMany(chain(1200));
    tx.nodes.createMany(['a', 'b', 'c'].map((id, i) => ({ id, parent: 'bca'[i] as string })));
    for (let i = 0; i < 10; i++) tx.leaves.create({ node: numbered(i), text: `${i}` });
  }).durable;
  const file = await source.export();
  const target = await local(memory());
  for (let twice = 0; twice < 2; twice++) {
    await target.import(file);
    expect([target.nodes.count(), target.leaves.count()]).toEqual([1203, 10]);
  }
  const parents = (db: Tree) =>
    db.nodes
      .orderBy('id')
      .all()
      .map(({ id, parent }) => `${id} ${parent}`);
  expect(parents(target)).toEqual(parents(source));
});
