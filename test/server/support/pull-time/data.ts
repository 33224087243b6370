// Data of every shape for the test of what pulls cost: each prop has one value in all rows, another in each, none, a few, or a
// long one. It is written by ordinary pushes, right before it is asked for.

import type { SchemaDescription } from '../../../../server/src/sql/description.ts';
import { invite } from '../memberships.ts';
import { pick, type Random } from '../random.ts';
import { type Json, uuid7, WireClient } from '../server.ts';

const prop = (name: string, type: string, index = false) => ({
  ...{ name, type, optional: true, index, unique: false },
});

const props = [
  prop('owner', 'string', true),
  prop('tag', 'string'),
  prop('rank', 'number', true),
  prop('size', 'number'),
  prop('flag', 'boolean'),
  prop('text', 'string'),
  prop('extra', 'json'),
];

/** `items` refer to `groups`; a client may want either, or what one selects of the other. */
export const pullTimeSchema = {
  version: 1,
  accepts: [],
  tables: [
    { name: 'groups', ids: 'uuid', autosubscribe: false, props },
    {
      ...{ name: 'items', ids: 'uuid', autosubscribe: false },
      props: [...props, { ...prop('group', 'ref', true), ref: { table: 'groups', touch: false } }],
    },
  ],
} as unknown as SchemaDescription;

export const kTexts = ['owner', 'tag', 'text'];
export const kNumbers = ['rank', 'size'];

const kinds = ['one', 'each', 'null', 'few', 'skewed'] as const;
type Kind = (typeof kinds)[number];

/** How the values of each prop are distributed. */
export type Shape = Readonly<Record<string, Kind>> & { readonly wide: string };

export function shapeOf(next: Random): Shape {
  const names = [...kTexts, ...kNumbers, 'group'];
  return {
    ...Object.fromEntries(names.map((name) => [name, pick(next, kinds)])),
    wide: pick(next, ['none', 'none', 'text', 'tag', 'extra']),
  } as Shape;
}

function numberOf(kind: Kind, i: number, next: Random): number | null {
  if (kind === 'null') return null;
  if (kind === 'one') return 0;
  if (kind === 'each') return i;
  return kind === 'few' ? next(10) : next(20) === 0 ? next(1_000) : 0;
}

/** All rows alike, where a value has as many rows as there are. */
export const allAlike = {
  ...Object.fromEntries([...kTexts, ...kNumbers, 'group'].map((name) => [name, 'one'])),
  wide: 'none',
} as Shape;

/** The values of a row, without its group. */
export function valuesOf(shape: Shape, i: number, next: Random): Json {
  const values: Json = { flag: next(2) === 0 };
  for (const name of kNumbers) {
    const value = numberOf(shape[name] as Kind, i, next);
    if (value !== null) values[name] = value;
  }
  for (const name of kTexts) {
    const value = numberOf(shape[name] as Kind, i, next);
    if (value === null) continue;
    values[name] = `v${value}${shape.wide === name ? ' long text'.repeat(200) : ''}`;
  }
  if (shape.wide === 'extra') values['extra'] = Array.from({ length: 300 }, (_, n) => n * i);
  return values;
}

/** Rows of one push, so that its body is small enough. */
const kRowsAtOnce = 2_000;

export class Data {
  readonly next: Random;
  readonly shape: Shape;
  readonly writer: WireClient;
  /** Large realms, with the ids of their groups and items. */
  readonly realms: {
    readonly name: string;
    readonly groups: string[];
    readonly items: string[];
  }[] = [];

  constructor(next: Random, url: string, user: string, shape: Shape) {
    this.next = next;
    this.shape = shape;
    this.writer = new WireClient(url, user);
  }

  async #push(ops: Json[]): Promise<void> {
    const result = await this.writer.push(ops);
    if (result.status !== 'applied') throw new Error(`push: ${JSON.stringify(result)}`);
  }

  /** A realm of the reader's, with so many rows in each table. */
  async large(reader: string, rows: number, members: number): Promise<void> {
    const realm = { name: uuid7(), groups: [] as string[], items: [] as string[] };
    this.realms.push(realm);
    const others = Array.from({ length: members }, (_, i) => invite(realm.name, `m${i}`, 'reader'));
    const own = [
      invite(realm.name, this.writer.user, 'owner'),
      invite(realm.name, reader, 'reader'),
    ];
    await this.#push([...own, ...others]);
    for (const table of ['groups', 'items'] as const) {
      for (let from = 0; from < rows; from += kRowsAtOnce) {
        const ops = Array.from({ length: Math.min(kRowsAtOnce, rows - from) }, (_, i) =>
          this.#create(realm, table, from + i),
        );
        await this.#push(ops);
      }
    }
  }

  #create(realm: (typeof this.realms)[number], table: 'groups' | 'items', i: number): Json {
    const set = valuesOf(this.shape, i, this.next);
    if (table === 'items') {
      const n = numberOf(this.shape['group'] as Kind, i, this.next);
      if (n !== null) set['group'] = realm.groups[n % realm.groups.length];
    }
    const id = uuid7();
    realm[table].push(id);
    return { op: 'create', table, id, realm: realm.name, set };
  }

  /** So many realms with three rows each: a hundred of them in an update. */
  async small(reader: string, count: number): Promise<string[]> {
    const names = Array.from({ length: count }, uuid7);
    for (let from = 0; from < count; from += 100) {
      await this.#push(
        names.slice(from, from + 100).flatMap((realm) => {
          const group = uuid7();
          const row = (table: string, id: string, set: Json) => ({
            op: 'create',
            table,
            id,
            realm,
            set,
          });
          return [
            invite(realm, this.writer.user, 'owner'),
            invite(realm, reader, 'reader'),
            row('groups', group, valuesOf(this.shape, from, this.next)),
            ...[1, 2].map((i) =>
              row('items', uuid7(), { ...valuesOf(this.shape, i, this.next), group }),
            ),
          ];
        }),
      );
    }
    return names;
  }

  /** Changes some rows of a large realm: also inner rows on which others depend. */
  async change(count: number): Promise<void> {
    const realm = pick(this.next, this.realms);
    const ops = Array.from({ length: count }, () => {
      const table = pick(this.next, ['groups', 'items'] as const);
      const set = valuesOf(shapeOf(this.next), this.next(1_000), this.next);
      return { op: 'update', table, id: pick(this.next, realm[table]), realm: realm.name, set };
    });
    await this.#push(ops);
  }

  /** One change in each of these realms. */
  async touch(realms: readonly string[]): Promise<void> {
    for (let from = 0; from < realms.length; from += 100) {
      await this.#push(
        realms.slice(from, from + 100).map((realm) => ({
          ...{ op: 'create', table: 'groups', id: uuid7(), realm },
          set: valuesOf(this.shape, from, this.next),
        })),
      );
    }
  }
}
