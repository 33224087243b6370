// Goal: stores of several people on one stream come to the same state, whatever the order in which actions reach the server, and
// what was dispatched offline is not lost. Method: Redux Toolkit's stores with the enhancer, against the real server.

import { configureStore, createSlice, type PayloadAction } from '@reduxjs/toolkit';
import { http } from 'skerry';
import { skerryEnhancer } from 'skerry/redux';
import { fetchTransport, type MemoryHost, memory } from 'skerry/testing';
import { afterEach, expect, test } from 'vitest';
import { SharedServer } from './support/shared-server.ts';

const text = createSlice({
  name: 'text',
  initialState: { lines: [] as string[], edits: 0 },
  reducers: {
    appended: (state, { payload }: PayloadAction<string>) => {
      if (payload === 'bad') throw new Error('bad');
      state.lines.push(payload);
      state.edits++;
    },
    cleared: (state) => {
      state.lines = [];
      state.edits++;
    },
  },
});
const cursor = createSlice({
  name: 'cursor',
  initialState: 0,
  reducers: { moved: (state, { payload }: PayloadAction<number>) => state + payload },
});
const { appended, cleared } = text.actions;

const server = new SharedServer({ args: ['--dev', '--public', 'board=write'] });
const opened: { readonly skerry: { close(): Promise<void> } }[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.skerry.close();
});

class Person {
  isOnline = true;
  readonly types: string[] = [];
  readonly host: MemoryHost = memory({
    workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
    transport: {
      request: (request) =>
        this.isOnline ? fetchTransport.request(request) : Promise.reject(new Error('offline')),
    },
  });
  readonly user: string;
  readonly stream: string;

  constructor(user: string, stream: string) {
    this.user = user;
    this.stream = stream;
  }

  open() {
    const store = configureStore({
      reducer: {
        text: text.reducer,
        cursor: cursor.reducer,
        types: (state = 0, { type }: { type: string }) => {
          this.types.push(type);
          return state;
        },
      },
      enhancers: (all) =>
        all().concat(
          skerryEnhancer({
            ...{ name: 'board', host: this.host, user: this.user, defaultRealm: 'board' },
            remote: http(`${server.url}/v1`, { token: async () => `dev:${this.user}` }),
            ...{ slices: ['text'], sync: ['text/*'], stream: this.stream },
          }),
        ),
    });
    opened.push(store);
    return store;
  }
}
type Store = ReturnType<Person['open']>;
const lines = (store: Store) => store.getState().text.lines;

async function settled(...stores: Store[]): Promise<void> {
  for (let round = 0; round < 2; round++) {
    for (const store of stores) {
      const db = await store.skerry.ready;
      await expect
        .poll(
          async () => {
            await db.sync.now().catch(() => {});
            return db.sync.status.pending;
          },
          { timeout: 20_000 },
        )
        .toBe(0);
    }
  }
}

test('others’ actions arrive as dispatched, and state of this device stays', async () => {
  const [ada, bo] = [new Person('ada', 'one'), new Person('bo', 'one')];
  const [hers, his] = [ada.open(), bo.open()];
  await settled(hers, his);
  await expect.poll(() => hers.skerry.whole && his.skerry.whole).toBe(true);
  his.dispatch(cursor.actions.moved(7));
  hers.dispatch(appended('Ahoy'));
  hers.dispatch(appended('Land'));
  await settled(hers, his);
  await expect.poll(() => lines(his)).toEqual(['Ahoy', 'Land']);
  expect(his.getState().cursor).toBe(7);
  expect(bo.types).toContain('text/appended');
  expect(bo.types).not.toContain('skerry/loadSnapshot');
  expect(ada.types).not.toContain('skerry/loadSnapshot');
});

test('actions from offline take their place in the order of the log, for everybody', async () => {
  const [ada, bo] = [new Person('ada', 'two'), new Person('bo', 'two')];
  const [hers, his] = [ada.open(), bo.open()];
  await settled(hers, his);
  bo.isOnline = false;
  his.dispatch(appended('from bo'));
  his.dispatch(appended('also from bo'));
  expect(lines(his)).toEqual(['from bo', 'also from bo']);
  hers.dispatch(appended('from ada'));
  await settled(hers);
  bo.isOnline = true;
  await settled(his, hers);
  const all = ['from ada', 'from bo', 'also from bo'];
  await expect.poll(() => lines(his)).toEqual(all);
  await expect.poll(() => lines(hers)).toEqual(all);
  // His were reduced again over hers: that is one action.
  expect(bo.types).toContain('skerry/loadSnapshot');
  expect(his.getState().text.edits).toBe(3);
  // And after a restart.
  hers.dispatch(cleared());
  await settled(hers, his);
  await his.skerry.close();
  const again = bo.open();
  expect(lines(again)).toEqual([]);
  await expect.poll(() => again.getState().text.edits).toBe(4);
});

test('an action by which a reducer of others throws is left out by all of them', async () => {
  const [ada, bo] = [new Person('ada', 'three'), new Person('bo', 'three')];
  const [hers, his] = [ada.open(), bo.open()];
  await settled(hers, his);
  // A client with other code has appended it.
  const db = await his.skerry.ready;
  db.stream<{ type: string; payload: string }>('three').append({
    ...{ type: 'text/appended', payload: 'bad' },
  });
  his.dispatch(appended('good'));
  await settled(his, hers);
  await expect.poll(() => lines(hers)).toEqual(['good']);
  await expect.poll(() => lines(his)).toEqual(['good']);
  const problems = (await hers.skerry.ready).problems;
  await expect.poll(() => problems.value.map(({ message }) => message)).toEqual(['bad']);
});
