/**
 * `skerry/react`, in a document: which components render, and what they show, in StrictMode, while the database opens, and in a page
 * that a server has rendered. In real browsers: the examples (test/examples).
 */
import './dom.ts';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transformAsync } from '@babel/core';
import {
  act,
  Component,
  createElement as h,
  memo,
  type ReactNode,
  StrictMode,
  Suspense,
  useDeferredValue,
  useState,
  useTransition,
} from 'react';
import { flushSync } from 'react-dom';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import {
  type AnyDatabase,
  SkerryProvider,
  useConflicts,
  useDatabase,
  useLive,
  useMutate,
  useQuery,
  useStream,
  useSyncStatus,
} from 'skerry/react';
import { memory } from 'skerry/testing';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { app, fresh, turn, until } from './support.ts';

type Db = Awaited<ReturnType<typeof fresh>>;
declare module 'skerry/react' {
  interface Register {
    database: Db;
  }
}

let place: HTMLElement;
let root: Root | null = null;
beforeEach(() => {
  place = document.body.appendChild(document.createElement('div'));
});
afterEach(async () => {
  await act(async () => root?.unmount());
  root = null;
  place.remove();
});

async function show(db: Db | Promise<Db> | null, ...children: ReactNode[]): Promise<void> {
  root ??= createRoot(place);
  const tree = h(SkerryProvider, { db: db as unknown as AnyDatabase }, ...children);
  await act(async () => root?.render(tree));
}
const change = (fn: () => void) =>
  act(async () => {
    fn();
    await turn();
  });
const text = () => place.textContent;

async function withCities(count: number): Promise<Db> {
  const db = await fresh(memory());
  db.transact((tx) => {
    for (let i = 0; i < count; i++)
      tx.cities.create({ id: `c${i}`, name: `City ${i}`, country: i % 2 ? 'SE' : 'FI' });
  });
  return db;
}

describe('useQuery', () => {
  test('renders one component for one change of one row', async () => {
    const db = await withCities(100);
    const renders = { list: 0, rows: [] as string[] };
    const City = memo(({ city }: { city: { id: string; name: string } }) => {
      renders.rows.push(city.id);
      return h('li', null, city.name);
    });
    const List = () => {
      renders.list++;
      const cities = useQuery((all) => all.cities.orderBy('id'));
      expectTypeOf(cities[0]?.name).toEqualTypeOf<string | undefined>();
      return h(
        'ul',
        null,
        cities.map((city) => h(City, { key: city.id, city })),
      );
    };
    await show(db, h(List));
    expect(place.querySelectorAll('li')).toHaveLength(100);
    Object.assign(renders, { list: 0, rows: [] });
    await change(() => db.mutate.rename({ id: 'c42', name: 'Turku' }));
    expect(renders).toEqual({ list: 1, rows: ['c42'] });
    // What no row of it is of renders nothing.
    await change(() => db.mutate.addGroup('sailors'));
    expect(renders.list).toBe(1);
  });

  test('follows its dependencies, and keeps the same rows without a change', async () => {
    const db = await withCities(4);
    const seen: unknown[] = [];
    const List = ({ country, of: _ }: { country: string; of?: number }) => {
      const cities = useQuery((all) => all.cities.where('country', '=', country), [country]);
      seen.push(cities);
      return cities.map(({ name }) => name).join();
    };
    await show(db, h(List, { country: 'SE', of: 1 }));
    await show(db, h(List, { country: 'SE', of: 2 }));
    expect(text()).toBe('City 1,City 3');
    expect(new Set(seen).size).toBe(1);
    await show(db, h(List, { country: 'FI' }));
    expect(text()).toBe('City 0,City 2');
    await show(await withCities(1), h(List, { country: 'FI' }));
    expect(text()).toBe('City 0');
  });

  test('in StrictMode leaves no subscription behind, and shows every change', async () => {
    const db = await withCities(1);
    const List = () => useQuery((all) => all.cities).length;
    await show(db, h(StrictMode, null, h(List)));
    await change(() => db.mutate.addCity({ id: 'x', name: 'X' }));
    expect(text()).toBe('2');
    await show(db, h(StrictMode, null));
    expect(text()).toBe('');
    await change(() => db.mutate.addCity({ id: 'y', name: 'Y' }));
  });

  test('shows no two states in one page, whatever renders late', async () => {
    const db = await withCities(1);
    const torn: string[] = [];
    const One = () => useQuery((all) => all.cities).length;
    const Slow = ({ round }: { round: number }) => {
      const late = useDeferredValue(round);
      return `${late}:${useQuery((all) => all.cities).length}`;
    };
    let next: (round: number) => void = () => {};
    const Both = () => {
      const [round, setRound] = useState(0);
      const [, start] = useTransition();
      next = (to) => start(() => setRound(to));
      return [h('b', { key: 1 }, h(One)), h('i', { key: 2 }, h(Slow, { round }))];
    };
    await show(db, h(Both));
    const look = () => {
      const [one, slow] = [place.querySelector('b'), place.querySelector('i')];
      const count = slow?.textContent?.split(':')[1];
      if (one?.textContent !== count) torn.push(`${one?.textContent} and ${count}`);
    };
    new MutationObserver(look).observe(place, {
      ...{ subtree: true, characterData: true, childList: true },
    });
    for (let round = 1; round <= 5; round++) {
      await change(() => {
        next(round);
        db.mutate.addCity({ id: `r${round}`, name: 'R' });
      });
    }
    expect(text()).toBe('65:6');
    expect(torn).toEqual([]);
  });
});

/** A component as the React Compiler makes it, of the source of one in plain JavaScript. */
async function compiled(source: string, names: object): Promise<() => ReactNode> {
  const code = `const { ${Object.keys(names).join()} } = globalThis.given;\nexport ${source}`;
  const plugins = ['babel-plugin-react-compiler'];
  const made = await transformAsync(code, { plugins, configFile: false, filename: 'list.js' });
  expect(made?.code).toContain('react/compiler-runtime');
  mkdirSync('build', { recursive: true });
  const folder = mkdtempSync(join('build', 'compiled-'));
  const file = resolve(folder, 'list.js');
  writeFileSync(file, made?.code ?? '');
  Object.assign(globalThis, { given: names });
  const { List } = await import(/* @vite-ignore */ pathToFileURL(file).href);
  rmSync(folder, { recursive: true });
  return List;
}

test('components that the React Compiler has made show every change', async () => {
  const db = await withCities(3);
  const List = await compiled(
    `function List() {
      const cities = useQuery((all) => all.cities.orderBy('id'));
      const [{ name }] = cities;
      const { pending } = useSyncStatus();
      const rows = cities.map((city) => city.name + ';');
      return h('p', null, name, ' of ', rows.length, ': ', rows, pending > 99 ? '!' : '.');
    }`,
    { h, useQuery, useSyncStatus },
  );
  await show(db, h(List));
  expect(text()).toBe('City 0 of 3: City 0;City 1;City 2;.');
  await change(() => db.mutate.rename({ id: 'c0', name: 'Ekenäs' }));
  expect(text()).toBe('Ekenäs of 3: Ekenäs;City 1;City 2;.');
  await change(() => db.mutate.remove('c2'));
  expect(text()).toBe('Ekenäs of 2: Ekenäs;City 1;.');
});

describe('the provider', () => {
  test('takes the promise of open: no rows until then, or a fallback', async () => {
    const db = await withCities(2);
    let open: (db: Db) => void = () => {};
    const opening = new Promise<Db>((resolve) => {
      open = resolve;
    });
    const Now = () => useQuery((all) => all.cities).length;
    const Later = () => useQuery((all) => all.cities, [], { suspense: true }).length;
    const Named = () => useDatabase<Db>().name;
    const Status = () => useSyncStatus().phase;
    await show(
      opening,
      ...[h(Now, { key: 1 }), ' ', h(Status, { key: 2 }), ' '],
      h(Suspense, { key: 3, fallback: 'wait' }, h(Later), ' ', h(Named)),
    );
    expect(text()).toBe('0 opening wait');
    await change(() => open(db));
    expect(text()).toMatch(/^2 idle 2 /);
  });

  test('gives an error of open to the next boundary', async () => {
    class Boundary extends Component<{ children?: ReactNode }, { message: string }> {
      override state = { message: '' };
      static getDerivedStateFromError({ message }: Error) {
        return { message };
      }
      override render() {
        return this.state.message || this.props.children;
      }
    }
    const failing = Promise.reject(new Error('no room'));
    failing.catch(() => {});
    root = createRoot(place, { onCaughtError: () => {} });
    const provider = h(
      SkerryProvider,
      { db: failing as never },
      h(() => useSyncStatus().phase),
    );
    await act(async () => root?.render(h(Boundary, null, provider)));
    expect(text()).toBe('no room');
  });

  test('is needed', () => {
    expect(() => renderToString(h(() => useSyncStatus().phase))).toThrow('SkerryProvider');
  });

  test('renders on a server, and the page continues from its rows', async () => {
    const List = () =>
      useQuery((all) => all.cities.orderBy('id'), [], {
        serverRows: [{ name: 'Åbo' }, { name: 'Umeå' }] as never,
      }).map(({ name }) => h('li', { key: name }, name));
    const html = renderToString(h(SkerryProvider, { db: null }, h(List)));
    expect(html).toBe('<li>Åbo</li><li>Umeå</li>');
    place.innerHTML = html;
    const errors: unknown[] = [];
    const db = await withCities(1);
    await act(async () => {
      root = hydrateRoot(place, h(SkerryProvider, { db: db as unknown as AnyDatabase }, h(List)), {
        onRecoverableError: (error) => errors.push(error),
      });
    });
    expect(text()).toBe('City 0');
    expect(errors).toEqual([]);
  });
});

test('a server renders components that write, and values that it is given', async () => {
  const Writes = () => {
    const { addCity } = useMutate();
    const count = useLive((all) => all.cities.liveCount(), [], { serverValue: 7 });
    const add = () => addCity({ id: 'new', name: 'New' });
    return h('button', { type: 'button', onClick: add }, count);
  };
  const html = renderToString(h(SkerryProvider, { db: null }, h(Writes)));
  expect(html).toBe('<button type="button">7</button>');
  const Calls = () => `${useMutate().addCity({ id: 'x', name: 'X' }).id}`;
  expect(() => renderToString(h(SkerryProvider, { db: null }, h(Calls)))).toThrow('cannot call');
  const Lives = () => useLive((all) => all.cities.liveCount());
  expect(() => renderToString(h(SkerryProvider, { db: null }, h(Lives)))).toThrow('no database');
  place.innerHTML = html;
  const errors: unknown[] = [];
  const db = await withCities(2);
  await act(async () => {
    root = hydrateRoot(place, h(SkerryProvider, { db: db as unknown as AnyDatabase }, h(Writes)), {
      onRecoverableError: (error) => errors.push(error),
    });
  });
  expect([text(), errors]).toEqual(['2', []]);
  await change(() => place.querySelector('button')?.click());
  expect(text()).toBe('3');
});

describe('the other hooks', () => {
  test('show live values, streams, mutators, status and inbox', async () => {
    const db = await withCities(3);
    const sum = { reducer: (state: number, by: number) => state + by, initialState: 0 };
    const All = () => {
      const count = useLive((all) => all.cities.liveCount());
      const lines = useStream((all) => all.stream<string>('chat'));
      const state = useStream((all) => all.stream<number, number>('sum', sum));
      const status = useSyncStatus();
      const conflicts = useConflicts();
      const mutate = useMutate();
      expectTypeOf(state).toEqualTypeOf<number>();
      const add = () => mutate.addCity({ id: 'new', name: 'New' });
      const button = h('button', { key: 1, type: 'button', onClick: add });
      return [button, [count, lines.join(), state, status.mode, conflicts.length].join(' ')];
    };
    await show(db, h(All));
    expect(text()).toBe('3  0 local 0');
    await change(() => {
      db.stream<string>('chat').append('ahoy');
      db.stream<number, number>('sum', sum).dispatch(5);
    });
    expect(text()).toBe('3 ahoy 5 local 0');
    await change(() => place.querySelector('button')?.click());
    expect(text()).toBe('4 ahoy 5 local 0');
  });

  test('leave the last values where the database is closed', async () => {
    const db = await withCities(3);
    const Count = () => `${useLive((all) => all.cities.liveCount())}`;
    const List = () => useQuery((all) => all.cities).length;
    await show(db, h(Count), ' ', h(List));
    await act(async () => db.close());
    await show(db, h(Count), ' ', h(List), '!');
    expect(text()).toBe('3 3!');
    // A page that is opened then has no rows, and does not break.
    const Other = () => useQuery((all) => all.cities.where('country', '=', 'FI')).length;
    await show(db, h(Other));
    expect(text()).toBe('0');
  });

  test('take a reducer that is written in the component, and mounted again', async () => {
    const db = await withCities(1);
    const Score = () =>
      useStream((all) =>
        all.stream<number, number>('sum', { reducer: (sum, by) => sum + by, initialState: 0 }),
      );
    await show(db, h(StrictMode, null, h(Score)));
    await change(() =>
      db.stream('sum', { reducer: (a: number, b: number) => a + b, initialState: 0 }).dispatch(5),
    );
    await show(db);
    await show(db, h(StrictMode, null, h(Score)));
    expect(text()).toBe('5');
  });

  test('a render that reads the status calls no subscriber meanwhile', async () => {
    const db = await withCities(1);
    const Other = memo(() => ` ${useSyncStatus().pending}`);
    let render: () => void = () => {};
    const One = () => {
      const [round, setRound] = useState(0);
      render = () => setRound(round + 1);
      return `${round}:${useSyncStatus().pending}`;
    };
    await show(db, h(Other), h(One));
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
    const said = () => errors.mock.calls.map(([message]) => String(message));
    await act(async () => {
      db.mutate.addCity({ id: 'x', name: 'X' });
      flushSync(render);
    });
    expect(said().filter((message) => message.includes('while rendering'))).toEqual([]);
    errors.mockRestore();
    await until(() => text() === ' 01:0');
  });

  test('know the tables of the registered database', () => {
    expectTypeOf(useQuery<{ id: string }>).toBeFunction();
    expectTypeOf<Parameters<typeof useQuery>[0]>().parameter(0).toHaveProperty('cities');
    expectTypeOf<ReturnType<typeof useMutate>>().toHaveProperty('rename');
    expect(app.version).toBe(1);
  });
});
