/** Rows on their way into mutations: parents first, within the limits of one mutation. */
import { schema, t, table } from 'skerry';
import { expect, test } from 'vitest';
import { creating, parentsFirst, type TableRow } from '../../js/api/account/order.ts';
import { schemaDef } from '../../js/api/schema.ts';

const tree = schemaDef(
  schema(
    {
      leaves: table({ node: t.ref('nodes', { onDelete: 'cascade' }), text: t.string() }),
      nodes: table({ parent: t.ref('nodes', { onDelete: 'cascade' }).optional() }),
    },
    { version: 1 },
  ),
);

const row = (name: string, id: string, props: Record<string, unknown>): TableRow => ({
  table: name,
  row: { id, realm: 'r', createdAt: 0, modifiedAt: 0, revision: 1, props },
});
const ids = (rows: readonly TableRow[]) => rows.map(({ row: { id } }) => id);

test('no row comes before one that it refers to, in any order of tables and rows', () => {
  const rows = [
    row('leaves', 'leaf', { node: 'c' }),
    row('nodes', 'c', { parent: 'b' }),
    row('nodes', 'b', { parent: 'a' }),
    row('nodes', 'a', {}),
    row('leaves', 'orphan', { node: 'elsewhere' }),
  ];
  expect(ids(parentsFirst(rows, tree))).toEqual(['a', 'b', 'c', 'leaf', 'orphan']);
});

test('a ref leads to the row of its own realm, where several have one id', () => {
  const of = (realm: string, name: string, id: string, props: Record<string, unknown>) => {
    const { table, row: made } = row(name, id, props);
    return { table, row: { ...made, realm } };
  };
  const rows = ['a', 'b'].flatMap((realm) => [
    of(realm, 'leaves', 'leaf', { node: 'n' }),
    of(realm, 'nodes', 'n', {}),
  ]);
  const placed = parentsFirst(rows, tree).map(({ table, row: { realm } }) => `${realm} ${table}`);
  expect(placed).toEqual(['a nodes', 'a leaves', 'b nodes', 'b leaves']);
});

test('a chain longer than any stack, and a circle, come out whole', () => {
  const count = 50_000;
  const chain = Array.from({ length: count }, (_, i) =>
    row('nodes', `${i}`, { parent: `${i + 1}` }),
  );
  expect(ids(parentsFirst(chain, tree))).toEqual(ids(chain).reverse());
  const circle = ['a', 'b', 'c'].map((id, i) => row('nodes', id, { parent: 'bca'[i] }));
  expect(ids(parentsFirst(circle, tree)).sort()).toEqual(['a', 'b', 'c']);
});

test('mutations hold at most 500 rows and 256 KiB, and all rows in their order', () => {
  const small = Array.from({ length: 1200 }, (_, i) => row('nodes', `${i}`, {}));
  const large = Array.from({ length: 8 }, (_, i) =>
    row('leaves', `l${i}`, { node: '1', text: 'x'.repeat(100_000) }),
  );
  const mutations = creating([...small, ...large], 'made', 5);
  expect(mutations.map(({ ops }) => ops.length)).toEqual([500, 500, 202, 2, 2, 2]);
  expect(mutations.flatMap(({ ops }) => ops.map(({ id }) => id))).toEqual(
    ids([...small, ...large]),
  );
  expect(mutations[0]).toMatchObject({ id: null, name: 'made', at: 5, arg: null });
});
