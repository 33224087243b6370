/** Rows as the application sees them, with the real core: every type of value, and the same object until it changes. */
import { open, schema, t, table } from 'skerry';
import { memory } from 'skerry/testing';
import { describe, expect, test } from 'vitest';
import { Continent, fresh, Money, openApp } from './support.ts';

describe('rows', () => {
  test('are frozen, and the same object until they change', async () => {
    const db = await fresh();
    db.mutate.addCity({ id: 'a', name: 'A' });
    db.mutate.addCity({ id: 'b', name: 'B' });
    const [a, b] = [db.cities.get('a'), db.cities.get('b')];
    expect(Object.isFrozen(a)).toBe(true);
    db.mutate.rename({ id: 'a', name: 'Å' });
    expect(db.cities.get('a')).not.toBe(a);
    expect(db.cities.get('a')).toMatchObject({ name: 'Å' });
    expect(db.cities.get('b')).toBe(b);
    expect(db.cities.where('name', '=', 'B').first()).toBe(b);
  });

  test('hold every type of value, also after a cold start', async () => {
    const host = memory();
    const first = await openApp(host);
    const values = {
      founded: new Date('1252-01-01'),
      continent: Continent.AS,
      size: 'm' as const,
      product: new Money(7),
      notes: {
        at: new Date(3),
        $odd: [Continent.EU, new Money(1), null, 1.5, 'Å'],
        b: Uint8Array.of(1, 2),
      },
      flag: Uint8Array.of(0, 255),
      capital: true,
      population: -1.25,
    };
    const mutation = first.transact((tx) =>
      tx.cities.create({ id: 'a', name: 'Åre 🎿', country: 'SE', ...values }),
    );
    expect(first.cities.get('a')).toMatchObject(values);
    await mutation.durable;
    const before = first.cities.get('a');
    await first.close();
    const db = await fresh(host);
    expect(db.cities.get('a')).toEqual(before);
    expect(db.cities.get('a')?.continent).toBe(Continent.AS);
    const notes = db.cities.get('a')?.notes as { $odd: unknown[] } | undefined;
    expect(notes?.$odd[0]).toBe(Continent.EU);
    expect(
      db.cities.where('continent', '=', Continent.AS).where('founded', '<', new Date(0)).count(),
    ).toBe(1);
  });

  test('may be read while another one is: by what restores a class', async () => {
    class Named {
      constructor(readonly name: unknown) {}
    }
    let other: () => { readonly name: string } | undefined = () => undefined;
    const nested = schema(
      {
        items: table(
          {
            first: t.string(),
            link: t.class('Named', { to: () => 0, from: () => new Named(other()?.name) }),
            last: t.string(),
          },
          { id: t.string() },
        ),
        names: table({ name: t.string() }, { id: t.string() }),
      },
      { version: 1 },
    );
    const db = await open({ name: 'nested', schema: nested, host: memory() });
    other = () => db.names.get('n');
    db.transact((tx) => {
      tx.names.create({ id: 'n', name: 'another' });
      tx.items.create({ id: 'i', first: 'first', link: new Named(''), last: 'last' });
    });
    expect(db.items.get('i')).toMatchObject({
      first: 'first',
      link: new Named('another'),
      last: 'last',
    });
    await db.close();
  });

  test('that a query reads many at once are what they are one by one', async () => {
    const host = memory();
    const first = await openApp(host);
    const names = [
      'plain',
      'Åre 🎿',
      'ﬀ\u{FEFF}',
      '日本',
      '\u{10FFFF}',
      'a text of more than forty-eight bytes, to be sure',
    ];
    const made = first.transact((tx) => {
      for (let i = 0; i < 258; i++) {
        const name = `${names[i % names.length]} ${i}${'ø'.repeat(i % 50 === 7 ? 20_000 : 0)}`;
        tx.cities.create({
          id: `c${i}`,
          name,
          country: 'SE',
          ...(i % 2 ? { flag: Uint8Array.of(i, 255, 0), capital: i % 3 === 0 } : {}),
          ...(i % 5 ? { population: i / 7, notes: { [name]: [name] } } : {}),
        });
      }
    });
    const expected = Array.from({ length: 258 }, (_, i) => first.cities.get(`c${i}`));
    expect(new Set(expected.map((row) => row?.name)).size).toBe(258);
    await made.durable;
    await first.close();
    const db = await fresh(host);
    const rows = db.cities.all();
    expect(rows).toHaveLength(258);
    for (const row of rows) expect(row).toEqual(expected[Number(row.id.slice(1))]);
    for (const row of rows) expect(db.cities.get(row.id)).toBe(row);
  });

  test('stay the same objects where the decoder of a class reads one of them', async () => {
    let restore: (id: unknown) => unknown = () => null;
    const nested = schema(
      {
        items: table(
          { link: t.class('Id', { to: (value: unknown) => value, from: (id) => restore(id) }) },
          { id: t.string() },
        ),
      },
      { version: 1 },
    );
    const db = await open({ name: 'linked', schema: nested, host: memory() });
    db.transact((tx) => {
      for (let i = 0; i < 6; i++) tx.items.create({ id: `i${i}`, link: i === 1 ? 'i4' : '' });
    });
    restore = (id) => (id === '' ? null : db.items.get(id as string));
    const rows = db.items.all();
    expect(rows[1]?.link).toBe(rows[4]);
    expect(db.items.get('i4')).toBe(rows[4]);
    await db.close();
  });

  test('null unsets, undefined leaves as it is', async () => {
    const db = await fresh();
    db.transact((tx) =>
      tx.cities.create({ id: 'a', name: 'A', country: 'SE', size: 's', capital: true }),
    );
    db.transact((tx) => tx.cities.update('a', { size: null, capital: undefined }));
    expect(db.cities.get('a')).toMatchObject({ size: null, capital: true });
  });
});
