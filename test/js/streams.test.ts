/**
 * `db.stream`: data items and reduced states, at once, over restarts and in several windows, without a server. With a real
 * server and real browsers: test/engines/streams.test.ts.
 */
import { LimitError, ValidationError } from 'skerry';
import { memory } from 'skerry/testing';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { Continent, collectUncaught, fresh, Money, turn, until } from './support.ts';

interface Line {
  readonly type: 'line';
  readonly text: string;
}
const line = (text: string): Line => ({ type: 'line', text });
const texts = (lines: readonly Line[]) => lines.map(({ text }) => text);

type Count = { readonly type: 'add'; readonly by: number };
const add = (by: number): Count => ({ type: 'add', by });
const sum = { reducer: (state: number, { by }: Count) => state + by, initialState: 0 };

describe('a stream of data', () => {
  test('shows an item at once, and after a restart', async () => {
    const host = memory();
    const db = await fresh(host);
    const chat = db.stream<Line>('chat');
    const heard: string[][] = [];
    chat.subscribe((lines) => heard.push(texts(lines)));
    await turn();
    const first = chat.append(line('a'));
    expect(texts(chat.value)).toEqual(['a']);
    expect(chat.value).toBe(chat.value);
    expect(chat.entries[0]).toMatchObject({ id: first.id, name: 'line', pending: true, at: null });
    await first.confirmed;
    chat.append(line('b'));
    expect(texts(chat.value)).toEqual(['a', 'b']);
    expect(chat.entries[0]).toMatchObject({ id: first.id, pending: false });
    expect(chat.entries[0]?.at).toBeInstanceOf(Date);
    expect(heard[0]).toEqual([]);
    expect(heard.at(-1)).toEqual(['a', 'b']);
    await db.close();
    const again = (await fresh(host)).stream<Line>('chat');
    expect(again.value).toEqual([]);
    await until(() => again.value.length === 2);
    expect(texts(again.value)).toEqual(['a', 'b']);
  });

  test('a subscriber that appends: the others get both changes, in order', async () => {
    const db = await fresh(memory());
    const chat = db.stream<Line>('chat');
    const heard: string[][] = [];
    chat.subscribe((lines) => {
      if (lines.length === 1) chat.append(line('answer'));
    });
    chat.subscribe((lines) => heard.push(texts(lines)));
    await until(() => chat.whole);
    heard.length = 0;
    chat.append(line('question'));
    expect(heard).toEqual([['question'], ['question', 'answer']]);
  });

  test('is one in all windows', async () => {
    const host = memory();
    const [one, other] = [await fresh(host), await fresh(host)];
    const here = one.stream<Line>('chat');
    const there = other.stream<Line>('chat');
    for (let i = 0; i < 20; i++) {
      here.append(line(`h${i}`));
      there.append(line(`t${i}`));
      await turn();
    }
    await until(() => here.value.length === 40 && there.value.length === 40);
    await until(() => [...here.entries, ...there.entries].every(({ pending }) => !pending));
    expect(texts(here.value)).toEqual(texts(there.value));
  });

  test('keeps the last items, and pages back to the first', async () => {
    const host = memory();
    const db = await fresh(host);
    const chat = db.stream<Line>('chat', { keep: 10 });
    for (let i = 0; i < 95; i++) await chat.append(line(String(i))).durable;
    expect(texts(chat.value)).toEqual(Array.from({ length: 10 }, (_, i) => String(85 + i)));
    const seen: string[] = [];
    let before: Line | undefined;
    for (let round = 0; round < 20; round++) {
      const page = await chat.page({ limit: 7, before });
      seen.unshift(...texts(page));
      if (page.length < 7) break;
      before = page[0];
    }
    expect(seen).toEqual(Array.from({ length: 95 }, (_, i) => String(i)));
    const [entry] = await chat.history({ limit: 1 });
    expect(texts(await chat.page({ before: entry, limit: 2 }))).toEqual(['92', '93']);
    await expect(chat.page({ limit: 0 })).rejects.toThrow(LimitError);
    await expect(chat.page({ before: line('x') })).rejects.toThrow(ValidationError);
  });

  test('says what has changed', async () => {
    const db = await fresh(memory());
    const chat = db.stream<Line>('chat');
    const deltas: unknown[] = [];
    chat.subscribe((_, delta) => deltas.push(delta));
    await turn();
    const { id, confirmed } = chat.append(line('a'));
    await confirmed;
    await turn();
    expect(deltas).toContainEqual({ added: [id], removed: [], changed: [], moved: [] });
    expect(deltas).toContainEqual({ added: [], removed: [], changed: [id], moved: [] });
  });

  test('holds dates, bytes, enums and classes', async () => {
    const host = memory();
    const db = await fresh(host);
    const item = {
      when: new Date(7),
      raw: Uint8Array.of(1, 2),
      where: Continent.EU,
      price: new Money(5),
      list: [Continent.AS, { $odd: null }],
    };
    await db.stream('typed').append(item).durable;
    expect(db.stream('typed').value).toEqual([item]);
    await db.close();
    const typed = (await fresh(host)).stream<typeof item>('typed');
    await until(() => typed.value.length === 1);
    expect(typed.value[0]?.where).toBe(Continent.EU);
    expect(typed.value[0]).toEqual(item);
    expect(() => typed.append({ x: () => 0 } as never)).toThrow(ValidationError);
  });

  test('refuses names that no stream has, and items that no server takes', async () => {
    const db = await fresh(memory());
    for (const name of ['', 'doc/*', 'x'.repeat(129), 'a\0b', 7 as never])
      expect(() => db.stream(name)).toThrow(ValidationError);
    expect(() => db.stream('chat', { keep: 0 })).toThrow(ValidationError);
    const chat = db.stream<string>('chat');
    expect(() => chat.append('x'.repeat(1 << 20))).toThrow(LimitError);
    expect(chat.value).toEqual([]);
    expect(db.stream<string>('chat')).toBe(chat);
  });
});

describe('a reduced stream', () => {
  test('is folded at once, and over pending actions', async () => {
    const host = memory();
    const db = await fresh(host);
    const total = db.stream<number, Count>('total', sum);
    expect(total.value).toBe(0);
    total.dispatch(add(2));
    expect(total.value).toBe(2);
    await total.dispatch(add(3)).confirmed;
    expect(total.value).toBe(5);
    await db.close();
    const again = (await fresh(host)).stream<number, Count>('total', sum);
    expect(again.value).toBe(0);
    again.dispatch(add(1));
    await until(() => again.value === 6);
    expectTypeOf(again.value).toEqualTypeOf<number>();
  });

  test('is equal in all windows, whatever their order', async () => {
    const host = memory();
    const [one, other] = [await fresh(host), await fresh(host)];
    const text = { reducer: (state: string, a: string) => `${state}${a}`, initialState: '' };
    const here = one.stream<string, string>('text', text);
    const there = other.stream<string, string>('text', text);
    for (const letter of 'abcdefghij') {
      here.dispatch(letter);
      there.dispatch(letter.toUpperCase());
      await turn();
    }
    await until(() => here.value.length === 20 && there.value.length === 20);
    await until(() => here.value === there.value);
  });

  test('leaves out an action by which the reducer throws, and says so', async () => {
    const host = memory();
    const db = await fresh(host);
    const careful = {
      reducer: (state: number, { by }: Count) => {
        if (by < 0) throw new Error('negative');
        return state + by;
      },
      initialState: 0,
    };
    const total = db.stream<number, Count>('total', careful);
    total.dispatch(add(1));
    const wrong = total.dispatch(add(-1));
    total.dispatch(add(2));
    expect(total.value).toBe(3);
    expect(db.problems.value).toMatchObject([
      { table: 'stream:total', id: wrong.id, message: 'negative', mutations: [wrong.id] },
    ]);
    await wrong.confirmed;
    expect(total.value).toBe(3);
    expect(db.problems.value).toMatchObject([{ id: wrong.id, mutations: [] }]);
    const there = (await fresh(host)).stream<number, Count>('total', careful);
    await until(() => there.value === 3);
  });

  test('goes on from a stored state, whose actions it does not fold again', async () => {
    const host = memory();
    const db = await fresh(host);
    const total = db.stream<number, Count>('total', sum);
    for (let i = 0; i < 250; i++) total.dispatch(add(1));
    await total.dispatch(add(1)).confirmed;
    await until(() => host.storage.dump('skerry/test/local', 'streams').length > 0);
    await db.close();
    let folded = 0;
    const counted = {
      reducer: (state: number, { by }: Count) => {
        folded++;
        return state + by;
      },
      initialState: 0,
    };
    const again = (await fresh(host)).stream<number, Count>('total', counted);
    await until(() => again.value === 251);
    expect(folded).toBeLessThan(60);
  });

  test('folds again under another version, or takes the state over', async () => {
    const host = memory();
    const db = await fresh(host);
    const total = db.stream<number, Count>('total', sum);
    for (let i = 0; i < 250; i++) total.dispatch(add(1));
    await total.dispatch(add(1)).confirmed;
    await until(() => host.storage.dump('skerry/test/local', 'streams').length > 0);
    const next = await fresh(host);
    const double = {
      reducer: (s: number, { by }: Count) => s + 2 * by,
      initialState: 0,
      version: 2,
    };
    const twice = next.stream<number, Count>('total', double);
    await until(() => twice.value === 502);
    const third = await fresh(host);
    const migrated = third.stream<{ sum: number }, Count>('total', {
      reducer: ({ sum: s }, { by }) => ({ sum: s + by }),
      initialState: { sum: 0 },
      version: 3,
      migrate: (state: number) => ({ sum: state }),
    });
    await until(() => migrated.value.sum > 0);
    expect([251, 502]).toContain(migrated.value.sum);
  });

  test('reducers do not write, and a subscriber’s mistake stops nothing', async () => {
    const db = await fresh(memory());
    const wild = db.stream<number, Count>('wild', {
      reducer: (state, { by }) => {
        if (by > 1) wild.dispatch(add(1));
        return state + by;
      },
      initialState: 0,
    });
    await collectUncaught(async (uncaught) => {
      wild.subscribe(() => {
        throw new Error('mine');
      });
      await turn();
      wild.dispatch(add(1));
      wild.dispatch(add(5));
      expect(wild.value).toBe(1);
      expect(db.problems.value[0]?.message).toMatch(/may not dispatch/);
      await turn();
      expect(uncaught.length).toBeGreaterThan(0);
    });
    expect(() => db.stream('wild', { reducer: 7 as never, initialState: 0 })).toThrow(
      ValidationError,
    );
  });

  test('is one stream, however often and with whichever function it is opened', async () => {
    const db = await fresh(memory());
    const inline = (by: number) =>
      db.stream<number, { n: number }>('score', {
        reducer: (state, { n }) => state + by * n,
        initialState: 0,
      });
    const score = inline(1);
    score.dispatch({ n: 2 });
    expect(inline(1)).toBe(score);
    expect(score.value).toBe(2);
    // As after a change of the code while it runs: from then on.
    inline(10).dispatch({ n: 2 });
    expect(score.value).toBe(22);
    expect(() => db.stream('score', { reducer: 7 as never, initialState: 0 })).toThrow(
      ValidationError,
    );
    const chat = db.stream('chat', { keep: 5 });
    expect(db.stream('chat')).toBe(chat);
    expect(() => db.stream('chat', { keep: 6 })).toThrow('another `keep`: 5');
  });
});
