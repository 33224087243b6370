// Goal: whatever the application's reducers do, the process goes on, the stream is named with the reason, and the next stream is
// folded. Method: the real thread, with reducers that loop, fill the memory, end the process, and make what no client could read.

import { afterEach, describe, expect, test } from 'vitest';
import { FoldFault } from '../../server/src/stream/fold-state.ts';
import {
  type Folder,
  type FoldLimits,
  OwnFolder,
  ThreadFolder,
} from '../../server/src/stream/folder.ts';
import { ReducerTable } from '../../server/src/stream/reducers.ts';

const kReducers = `{
  list: { initialState: [], reducer: (list, item) => [...list, item] },
  loops: { initialState: 0, reducer: () => { for (;;); } },
  eats: { initialState: [], reducer: (list) => { for (;;) list.push(new Array(1e5).fill(list.length)); } },
  exits: { initialState: 0, reducer: () => process.exit(0) },
  throws: { initialState: 0, reducer: (sum, n) => { if (n < 0) throw new Error('below 0'); return sum + n; } },
  deep: { initialState: 0, reducer: function deep(n) { return deep(n + 1); } },
  halves: { initialState: '', reducer: () => 'a\\ud800' },
  undefinedly: { initialState: 0, reducer: () => undefined },
  circles: { initialState: 0, reducer: () => { const a = {}; a.a = a; return a; } },
  migrates: { version: 2, initialState: 0, reducer: (n) => n, migrate: () => { throw new Error('no way'); } },
}`;
const kModule = `data:text/javascript,${encodeURIComponent(`export const reducers = ${kReducers};`)}`;

const folders: Folder[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await folder.close();
});
function threaded(limits: Partial<FoldLimits> = {}): Folder {
  const folder = new ThreadFolder(kModule, { pageMs: 20_000, memoryMb: 64, ...limits });
  folders.push(folder);
  return folder;
}
const json = { encode: (value: unknown) => value, decode: (value: unknown) => value };
function own(stateBytes?: number): Folder {
  const reducers = new Function(`return ${kReducers}`)() as unknown;
  return new OwnFolder(new ReducerTable(reducers), json, stateBytes);
}

const actions = (...args: unknown[]) =>
  args.map((arg, i) => ({ id: `a${i}`, arg: JSON.stringify(arg) }));

async function folded(folder: Folder, stream: string, ...args: unknown[]): Promise<string> {
  await folder.begin(stream, null);
  await folder.fold(actions(...args));
  return folder.finish();
}
const faultOf = (folder: Folder, stream: string, ...args: unknown[]) =>
  folded(folder, stream, ...args).then(
    (text) => text,
    (error: unknown) => (error instanceof FoldFault ? error.kind : error),
  );

describe.each([
  ['in a thread', (stateBytes?: number) => threaded(stateBytes ? { stateBytes } : {})],
  ['in this process', own],
])('%s', (_where, make) => {
  test('actions are folded in their order, from the stored state', async () => {
    const folder = make();
    expect(await folded(folder, 'list', 1, 'a', null)).toBe('[1,"a",null]');
    await folder.begin('list', { version: 1, revision: 3, state: '[0]' });
    await folder.fold(actions(1));
    await folder.fold(actions(2));
    expect(await folder.finish()).toBe('[0,1,2]');
  });

  test('an action by which the reducer throws is left out, and named', async () => {
    const folder = make();
    await folder.begin('throws', null);
    expect(await folder.fold(actions(1, -1, 2, -2))).toEqual({
      ...{ count: 2, first: { id: 'a1', message: 'below 0' } },
    });
    expect(await folder.finish()).toBe('3');
    await folder.begin('deep', null);
    expect(await folder.fold(actions(1))).toMatchObject({ count: 1 });
  });

  test('a state has so many bytes, and not one more', async () => {
    const folder = make(8);
    expect(await faultOf(folder, 'list', 'ĉ')).toBe('["ĉ"]');
    expect(await faultOf(folder, 'list', 'aaaa')).toBe('["aaaa"]');
    expect(await faultOf(folder, 'list', 'aaaaa')).toBe('limit');
    expect(await faultOf(folder, 'list', 'ĉĉa')).toBe('limit');
  });

  test('a state is measured while it is folded', async () => {
    const folder = make(1 << 20);
    const large = 'x'.repeat(3 << 20);
    await folder.begin('list', null);
    await folder.fold(actions('a'));
    await expect(folder.fold(actions(large, large))).rejects.toMatchObject({ kind: 'limit' });
  });

  test.each(['halves', 'undefinedly', 'circles'])(
    'a state that no client could read is none: %s',
    async (stream) => expect(await faultOf(make(), stream, 1)).toBe('failed'),
  );

  test('a state that cannot be taken over is named, and the next stream goes on', async () => {
    const folder = make();
    const stored = { version: 1, revision: 1, state: '1' };
    await expect(folder.begin('migrates', stored)).rejects.toMatchObject({ kind: 'failed' });
    await expect(folder.begin('unknown', null)).rejects.toMatchObject({ kind: 'failed' });
    expect(await folded(folder, 'list', 1)).toBe('[1]');
  });
});

test.each([
  ['loops', 'time', { pageMs: 300 }],
  ['eats', 'memory', { memoryMb: 32 }],
  ['exits', 'ended', {}],
] as const)(
  'a reducer that %s ends its thread (%s), and nothing else',
  async (stream, why, limits) => {
    const folder = threaded(limits);
    const began = performance.now();
    let longest = 0;
    let last = began;
    const beat = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    try {
      expect(await faultOf(folder, stream, 1)).toBe(why);
    } finally {
      clearInterval(beat);
    }
    // This event loop was never kept for as long as the reducer ran.
    expect(longest).toBeLessThan(Math.max(250, (performance.now() - began) / 2));
    expect(await folded(folder, 'list', 1)).toBe('[1]');
  },
);

test('a module that cannot be loaded says nothing against a stream', async () => {
  const folder = new ThreadFolder('data:text/javascript,throw new Error("no module")');
  await expect(folder.begin('list', null)).rejects.not.toBeInstanceOf(FoldFault);
});

test('a thread that is closed ends what it folds', async () => {
  const folder = threaded();
  await folder.begin('loops', null);
  const looping = folder.fold(actions(1));
  const ended = expect(looping).rejects.toThrow('closed');
  await folder.close();
  await ended;
});
