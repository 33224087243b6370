/**
 * Values that cannot be read, from any writer: readers survive them, and they are written back as they came. What is
 * malformed is refused when it is made here.
 */
import { http, open, schema, t, table, UnknownValue } from 'skerry';
import { type MemoryHost, memory } from 'skerry/testing';
import { expect, test, vi } from 'vitest';
import { LiveRegistry, LiveValue } from '../../js/api/live.ts';
import type { RowView } from '../../js/core/row-view.ts';
import type { LiveChange } from '../../js/core/window-core.ts';
import { FakeServer } from './fake-server.ts';
import { collectUncaught, turn, until } from './support.ts';

vi.setConfig({ testTimeout: 30_000 });

class Price {
  constructor(readonly amount: number) {
    if (!(amount >= 0)) throw new Error('no price');
  }
}
const app = schema(
  {
    notes: table(
      {
        title: t.string(),
        any: t.json<unknown>().optional(),
        price: t
          .class('Price', {
            to: (price: Price) => price.amount,
            from: (amount: number) => new Price(amount),
            class: Price,
          })
          .optional(),
        color: t.enum('Color', { red: { name: 'red' } }).optional(),
      },
      { id: t.string() },
    ),
    groups: table({ name: t.string() }, { id: t.string() }),
  },
  { version: 1 },
);

function connect(host: MemoryHost) {
  return open({
    name: 'unreadable',
    schema: app,
    host,
    scopes: 'all',
    defaultRealm: 'public',
    remote: http('http://server.test/v1'),
  });
}

const unreadable: readonly unknown[] = [
  { $type: 'bytes', v: '!' },
  { $type: 'bytes', v: 5 },
  { $type: 'bytes' },
  { $type: 'date', v: 1e300 },
  { $type: 'date', v: 'x' },
  { $type: 'Price', v: -1, version: 1 },
  { $type: 'Color', v: 'green' },
  { $type: 'Nobody', v: { knows: ['it'] } },
  { $type: 5 },
];

test('a row that cannot be read in parts is read in all others, and no query throws', async () => {
  const host = memory();
  const server = new FakeServer(host.network);
  const db = await connect(host);
  let titles: readonly string[] = [];
  let groups = 0;
  db.notes.subscribe((rows) => {
    titles = rows.map(({ title }) => title);
  });
  db.groups.subscribe((rows) => {
    groups = rows.length;
  });
  await db.transact((tx) => tx.notes.create({ id: 'mine', title: 'mine' })).confirmed;
  server.write([
    ...unreadable.map((any, i) => ({
      op: 'create',
      table: 'notes',
      id: `evil-${i}`,
      set: { title: `evil ${i}`, any: i % 2 ? any : { deep: [any, 'beside'] } },
    })),
    {
      op: 'create',
      table: 'notes',
      id: 'price',
      set: { title: 'p', price: { $type: 'Price', v: -1 } },
    },
    { op: 'create', table: 'groups', id: 'g', set: { name: 'G' } },
  ]);
  await until(() => groups === 1);
  expect(titles).toHaveLength(unreadable.length + 2);
  expect(db.notes.all()).toHaveLength(unreadable.length + 2);
  for (const [i, envelope] of unreadable.entries()) {
    const { any } = db.notes.get(`evil-${i}`) as { any: unknown };
    const found = i % 2 ? any : (any as { deep: unknown[] }).deep[0];
    expect(found).toBeInstanceOf(UnknownValue);
    expect((found as UnknownValue).envelope).toEqual(envelope);
  }
  expect(db.notes.get('price')?.price).toBeInstanceOf(UnknownValue);
  await db.close();
});

test('an unreadable value is written back unchanged, and does not block other changes', async () => {
  const host = memory();
  const server = new FakeServer(host.network);
  const db = await connect(host);
  const price = { $type: 'Price', v: -1, version: 3, more: true };
  server.write([
    {
      op: 'create',
      table: 'notes',
      id: 'a',
      set: { title: 'a', any: { $type: 'bytes', v: '!' }, price },
    },
  ]);
  await until(() => db.notes.get('a') !== undefined);
  const {
    title: _,
    id,
    realm: __,
    createdAt: ___,
    modifiedAt: ____,
    ...rest
  } = db.notes.get('a') as never as Record<string, unknown>;
  await db.transact((tx) => tx.notes.update(id as string, { ...rest, title: 'b' })).confirmed;
  await db.transact((tx) =>
    tx.notes.create({ id: 'copy', title: 'c', price: rest['price'] as never }),
  ).confirmed;
  expect(server.pushed.map(({ ops }) => ops[0]?.set)).toEqual([
    { title: 'b' },
    { title: 'c', price },
  ]);
  await db.close();
});

test('malformed envelopes are refused where they are made, in words', async () => {
  const db = await open({ name: 'refused', schema: app, host: memory() });
  for (const envelope of unreadable.slice(0, 5)) {
    const any = [new UnknownValue('bytes', envelope as Record<string, unknown>)];
    expect(() => db.transact((tx) => tx.notes.create({ id: 'a', title: 'a', any }))).toThrow(
      expect.objectContaining({
        name: 'ValidationError',
        message: expect.stringMatching(/notes\.any.*envelope/),
      }),
    );
  }
  expect(db.notes.count()).toBe(0);
  await db.close();
});

test('reports a live value that throws, stops no other, and makes it at the next read', async () => {
  await collectUncaught(async (uncaught) => {
    let broken = false;
    const heard: string[] = [];
    const view = {
      version: 0,
      writing: false,
      core: {
        closed: false,
        openLive: ({ table: name }: { table: string }) => ({
          live: name === 'bad' ? 1 : 2,
          rows: new Uint32Array(),
        }),
        closeLive() {},
        run: () => new Uint32Array(),
      },
      rowsOf: ({ table: name }: { table: string }) => {
        if (broken && name === 'bad') throw new Error('cannot be read');
        return Object.freeze([broken ? 'new' : 'old']);
      },
    } as unknown as RowView;
    const lives = new LiveRegistry(view);
    const live = (name: string) => {
      const value = new LiveValue(
        lives,
        { table: name, where: null, order: [], limit: null, offset: 0, after: null, include: [] },
        'rows',
      );
      value.subscribe((rows) => heard.push(`${name} ${rows as never}`));
      return value;
    };
    const [bad, good] = [live('bad'), live('good')];
    await turn();
    broken = true;
    const change = (number: number) =>
      ({
        live: number,
        rows: new Uint32Array(),
        added: [],
        removed: [],
        changed: [],
        moved: [],
      }) as LiveChange;
    lives.take([change(1), change(2)])();
    await turn();
    expect(heard).toEqual(['bad old', 'good old', 'good new']);
    expect(uncaught.map(String)).toEqual(['Error: cannot be read']);
    expect(good.value).toEqual(['new']);
    expect(() => bad.value).toThrow('cannot be read');
    broken = false;
    expect(bad.value).toEqual(['old']);
  });
});
