/** `orderBy` with `collate`: the order of people, by the real wasm and Intl.Collator. Its upkeep is tested in the core. */

import { open, schema, t, table } from 'skerry';
import { memory } from 'skerry/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type App, fresh } from './support.ts';

async function withNames(...names: readonly string[]): Promise<App> {
  const db = await fresh();
  db.transact((tx) => {
    for (const [i, name] of names.entries())
      tx.cities.create({ id: `c${i}`, name, country: i % 2 ? 'SE' : 'DE' });
  });
  return db;
}
afterEach(async () => {
  vi.restoreAllMocks();
});

const names = (query: { all(): readonly { readonly name: string }[] }) =>
  query.all().map(({ name }) => name);

describe('orderBy with collate', () => {
  test('is the order of the locale', async () => {
    const { cities } = await withNames(
      'Örebro',
      'zürich',
      'Åre',
      'Ängelholm',
      'Berlin',
      'Zug',
      'adria',
    );
    const by = (collate: string) => names(cities.orderBy('name', 'asc', { collate }));
    expect(by('sv')).toEqual(['adria', 'Berlin', 'Zug', 'zürich', 'Åre', 'Ängelholm', 'Örebro']);
    expect(by('de')).toEqual(['adria', 'Ängelholm', 'Åre', 'Berlin', 'Örebro', 'Zug', 'zürich']);
    expect(names(cities.orderBy('name'))).toEqual([
      'Berlin',
      'Zug',
      'adria',
      'zürich',
      'Ängelholm',
      'Åre',
      'Örebro',
    ]);
    expect(names(cities.orderBy('name', 'desc', { collate: 'SV' }))).toEqual(by('sv').reverse());
  });

  test('agrees with Intl.Collator on empty, long, ignorable and astral texts', async () => {
    const texts = [
      '',
      ' ',
      'a',
      'A',
      'á',
      'a\u0301',
      'ab',
      '\ufeffb',
      'b',
      '😀',
      '😀a',
      '🇸🇪',
      '日本',
      '٣',
      '3',
      '10',
      '2',
    ];
    texts.push('x'.repeat(1000), `${'x'.repeat(1000)}y`, 'ﬀ', 'ff', 'Straße', 'Strasse', '-', '_');
    const { cities } = await withNames(...texts);
    for (const collate of ['sv', 'de', 'ja', 'en-u-kn-true', 'de-u-co-phonebk']) {
      const { compare } = new Intl.Collator(collate);
      const ids = texts.map((_, i) => `c${i}`);
      const text = (id: string) => texts[Number(id.slice(1))] as string;
      const expected = ids.sort(
        (a, b) => compare(text(a), text(b)) || Number(a > b) - Number(a < b),
      );
      expect(cities.orderBy('name', 'asc', { collate }).ids()).toEqual(expected);
    }
  });

  test('puts null first, and breaks ties by the next order and then by id', async () => {
    const host = await fresh();
    // Composed and decomposed they are the same to a locale.
    host.transact((tx) => {
      for (const [id, name, population] of [
        ['a', 'Å', 1],
        ['b', 'A\u030a', 3],
        ['c', 'Å', 2],
        ['d', '', 9],
      ] as const)
        tx.cities.create({ id, name, country: 'SE', population });
    });
    const by = host.cities.orderBy('name', 'asc', { collate: 'sv' });
    expect(by.ids().join('')).toBe('dabc');
    expect(by.orderBy('population', 'desc').ids().join('')).toBe('dbca');
    const back = host.cities.orderBy('name', 'desc', { collate: 'sv' });
    expect(back.ids().join('')).toBe('abcd');
  });

  test('holds in windows of a result, in transactions, includes and live queries', async () => {
    const db = await withNames('Öland', 'Åland', 'Zug', 'Berlin');
    const by = db.cities.orderBy('name', 'asc', { collate: 'sv' });
    expect(by.first()?.name).toBe('Berlin');
    expect(names(by.offset(1).limit(2))).toEqual(['Zug', 'Åland']);
    expect(names(by.after(by.offset(1).first() ?? null))).toEqual(['Åland', 'Öland']);
    const orders: string[][] = [];
    const moved: string[][] = [];
    const stop = by.limit(3).subscribe((rows, delta) => {
      orders.push(rows.map(({ name }) => name));
      if (delta) moved.push([...delta.moved]);
    });
    await Promise.resolve();
    db.transact((tx) => {
      tx.cities.update('c2', { name: 'Ängby' });
      expect(names(tx.cities.orderBy('name', 'asc', { collate: 'sv' }))).toEqual([
        'Berlin',
        'Åland',
        'Ängby',
        'Öland',
      ]);
    });
    expect(orders).toEqual([
      ['Berlin', 'Zug', 'Åland'],
      ['Berlin', 'Åland', 'Ängby'],
    ]);
    expect(moved).toEqual([['c2']]);
    stop();
  });

  test('orders included rows', async () => {
    const shelves = schema(
      {
        shelves: table({ name: t.string() }),
        books: table({ shelf: t.ref('shelves'), title: t.string().optional() }),
      },
      { version: 1 },
    );
    const db = await open({ name: 'shelves', schema: shelves, host: memory() });
    db.transact((tx) => {
      for (const name of ['Ö', 'Z']) {
        const shelf = tx.shelves.create({ name });
        for (const title of ['Å', null, 'Z', 'a']) tx.books.create({ shelf, title });
      }
    });
    const found = db.shelves
      .orderBy('name', 'desc', { collate: 'sv' })
      .include('books', (q) => q.orderBy('title', 'asc', { collate: 'sv' }).offset(1))
      .all();
    expect(found.map(({ name, books }) => [name, ...books.map(({ title }) => title)])).toEqual([
      ['Ö', 'a', 'Z', 'Å'],
      ['Z', 'a', 'Z', 'Å'],
    ]);
    await db.close();
  });

  test('a live query compares only rows whose text has changed', async () => {
    // The locale is one that no other test uses, so that its collator is made here.
    let compared = 0;
    const { compare } = new Intl.Collator('fi');
    vi.spyOn(Intl.Collator.prototype, 'compare', 'get').mockReturnValue((a: string, b: string) => {
      compared++;
      return compare(a, b);
    });
    const db = await withNames(...Array.from({ length: 500 }, (_, i) => String((i * 7919) % 1000)));
    const live = db.cities.orderBy('name', 'asc', { collate: 'fi' }).limit(20).live();
    live.subscribe(() => {});
    expect(compared).toBeGreaterThan(500);
    compared = 0;
    db.transact((tx) => tx.cities.update('c7', { population: 5 }));
    expect(compared).toBe(0);
    db.transact((tx) => tx.cities.update('c7', { name: '0' }));
    expect(compared).toBeLessThan(20);
    expect(live.value[0]?.name).toBe('0');
    expect(
      names(db.cities.orderBy('name', 'desc', { collate: 'fi' }).offset(100).limit(5)),
    ).toHaveLength(5);
    expect(compared).toBeLessThan(20);
  });

  test('mistakes are thrown where they are made', async () => {
    const { cities } = await withNames('a');
    const by = (column: string, collate: unknown) => () =>
      cities.orderBy(column as 'name', 'asc', { collate: collate as string });
    const name = (error: string) => expect.objectContaining({ name: error });
    expect(by('name', 'not a locale')).toThrow(name('ValidationError'));
    expect(by('name', '')).toThrow(name('ValidationError'));
    expect(by('name', 7)).toThrow(name('ValidationError'));
    expect(by('name', null)).toThrow(name('ValidationError'));
    expect(by('name', 'tlh')).toThrow(name('UnsupportedError'));
    for (const column of ['population', 'size', 'id', 'realm', 'createdAt', 'notes'])
      expect(by(column, 'sv')).toThrow(name('ValidationError'));
    expect(by('nope', 'sv')).toThrow(name('SchemaError'));
    expect(by('name', undefined)().ids()).toEqual(['c0']);
  });
});
