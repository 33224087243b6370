// Random scopes within the limits of a pull: comparisons, lists, patterns, `and`, `or`, `not`, and sub-selects over props with
// an index and without one.

import { pick, type Random } from '../random.ts';
import type { Json } from '../server.ts';
import { kNumbers, kTexts } from './data.ts';

const tables = ['items', 'groups'] as const;

function textValue(next: Random): unknown {
  return pick(next, ['v0', 'v1', `v${next(5_000)}`, 'none']);
}

function comparison(next: Random): unknown[] {
  const text = pick(next, kTexts);
  const number = pick(next, kNumbers);
  switch (next(9)) {
    case 0:
      return ['=', number, next(3)];
    case 1:
      return [pick(next, ['<', '<=', '>', '>=', '!=']), number, next(3) * 2_000];
    case 2:
      return ['=', text, textValue(next)];
    case 3:
      return [pick(next, ['<', '>', '!=']), text, textValue(next)];
    case 4:
      return ['in', text, Array.from({ length: pick(next, [3, 500]) }, (_, i) => `v${i * 3}`)];
    case 5:
      return ['like', text, pick(next, ['%none%', 'v1%', '%text%none', '%0'])];
    case 6:
      return [pick(next, ['=', '!=']), pick(next, [...kTexts, ...kNumbers]), null];
    case 7:
      return ['=', 'flag', next(2) === 0];
    default:
      return ['in', number, Array.from({ length: 20 }, (_, i) => i * 50)];
  }
}

/** A filter without sub-selects. */
function plain(next: Random, depth: number): unknown[] {
  if (depth === 0 || next(3) === 0) return comparison(next);
  const kind = pick(next, ['and', 'or', 'not']);
  if (kind === 'not') return ['not', plain(next, depth - 1)];
  return [
    kind,
    ...Array.from({ length: 1 + next(pick(next, [3, 20])) }, () => plain(next, depth - 1)),
  ];
}

/** What a prop may be compared with: one of the same type. */
const pairs = [
  ['group', 'id'],
  ...kTexts.flatMap((outer) => kTexts.map((inner) => [outer, inner] as const)),
  ...kNumbers.flatMap((outer) => kNumbers.map((inner) => [outer, inner] as const)),
] as const;

function subSelect(next: Random, table: string): unknown[] {
  const able = pairs.filter(([outer]) => table === 'items' || outer !== 'group');
  const [outer, inner] = pick(next, able);
  const from = outer === 'group' ? 'groups' : pick(next, tables);
  const where = pick(next, [['true'], ['=', 'rank', -1], plain(next, 1)]);
  return ['in', outer, { table: from, select: inner, where }];
}

function joined(next: Random, table: string): unknown[] {
  const select = subSelect(next, table);
  switch (next(5)) {
    case 0:
      return ['not', select];
    case 1:
      return ['or', select, plain(next, 1)];
    case 2:
      return ['and', select, plain(next, 1)];
    case 3:
      return ['or', select, ['not', subSelect(next, table)]];
    default:
      return select;
  }
}

/** The scopes of a client: a few, or very many small ones. A sub-select’s rows are wanted, too. */
export function scopesOf(next: Random): Json[] {
  const isMany = next(4) === 0;
  const count = isMany ? 50 : 1 + next(4);
  const scopes = Array.from({ length: count }, (): Json => {
    const table = pick(next, tables);
    const isJoin = !isMany && next(3) > 0;
    const where = isMany ? comparison(next) : isJoin ? joined(next, table) : plain(next, 3);
    return { table, where, filled: false };
  });
  // A client has each scope once.
  return [...new Map(scopes.map((scope) => [JSON.stringify(scope), scope])).values()];
}

/** Those that cost most, as far as is known: each was once too slow, or was feared to be. */
export const worst: readonly (readonly [string, Json[]])[] = [
  ['a pattern that nothing matches', [{ table: 'items', where: ['like', 'text', '%none%none%'] }]],
  [
    'a filter of a thousand comparisons',
    [
      {
        table: 'items',
        where: ['or', ...Array.from({ length: 990 }, (_, i) => ['=', 'size', -1 - i])],
      },
    ],
  ],
  [
    'a sub-select by an index, over rows of one value that do not match',
    [
      {
        table: 'items',
        where: ['in', 'owner', { table: 'groups', select: 'owner', where: ['=', 'rank', -1] }],
      },
    ],
  ],
  [
    'the same within a `not`, and in an `or`',
    [
      {
        table: 'items',
        where: [
          'or',
          ['=', 'rank', -1],
          [
            'not',
            [
              'not',
              ['in', 'owner', { table: 'groups', select: 'owner', where: ['=', 'rank', -1] }],
            ],
          ],
        ],
      },
    ],
  ],
  [
    'sub-selects without an index',
    [
      {
        table: 'items',
        where: [
          'or',
          ...Array.from({ length: 3 }, (_, i) => [
            'in',
            'tag',
            { table: 'groups', select: 'tag', where: ['=', 'size', -1 - i] },
          ]),
        ],
      },
    ],
  ],
  ['everything', ['items', 'groups'].map((table) => ({ table, where: ['true'] }))],
].map(([name, scopes]) => [
  name as string,
  (scopes as Json[]).map((scope) => ({ ...scope, filled: false })),
]);
