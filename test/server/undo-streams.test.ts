// Goal: an undo in a reduced stream is an action of the stream for everybody, in the order of the log; what undoes nothing is in no
// stream, and its author is told so. Method: the package's own clients on memory hosts against the real server, and the wire by hand.
import { http, open, schema } from 'skerry';
import { fetchTransport, memory } from 'skerry/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { type Json, uuid7, WireClient } from './support/server.ts';
import { SharedServer } from './support/shared-server.ts';

const app = schema({}, { version: 1 });
const server = new SharedServer({ schema: app });
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const db of opened.splice(0)) await db.close();
});

/** Letters, in their order. */
type Action = { readonly type: 'typed' | 'erased'; readonly letter: string };
const typed = (letter: string): Action => ({ type: 'typed', letter });
const letters = {
  reducer: (text: string, { type, letter }: Action) =>
    type === 'typed' ? text + letter : text.replace(letter, ''),
  initialState: '',
  inverse: ({ type, letter }: Action): Action => ({
    type: type === 'typed' ? 'erased' : 'typed',
    letter,
  }),
};

let users = 0;
async function connect(user: string) {
  const host = memory({
    workerTimes: { retry: 20, retryMax: 40, idle: 60_000 },
    transport: fetchTransport,
  });
  const db = await open({
    ...{ name: 'undo', schema: app, host, user, defaultRealm: `user:${user}`, scopes: 'all' },
    remote: http(`${server.url}/v1`, { token: async () => `dev:${user}` }),
  });
  opened.push(db);
  const text = db.stream<string, Action>('text', letters);
  await db.sync.now();
  return { db, text };
}
type Device = Awaited<ReturnType<typeof connect>>;

async function two() {
  const user = `typing-${++users}`;
  return { user, mine: await connect(user), theirs: await connect(user) };
}

async function settled(...all: readonly Device[]): Promise<void> {
  for (let round = 0; round < 2; round++) {
    for (const { db } of all) {
      db.sync.resume();
      await db.sync.now();
      await db.sync.waitForSync();
    }
  }
}

describe('an undo in a stream', () => {
  test.each(['sent', 'not sent'])('of an action that was %s, and its redo', async (when) => {
    const { mine, theirs } = await two();
    await theirs.text.dispatch(typed('a')).confirmed;
    await settled(mine);
    if (when === 'not sent') mine.db.sync.pause();
    const done = mine.text.dispatch(typed('b'));
    if (when === 'sent') await done.confirmed;
    for (const [step, expected] of [
      ['undo', 'a'],
      ['redo', 'ab'],
      ['undo', 'a'],
      ['redo', 'ab'],
    ] as const) {
      const undone = mine.db[step]();
      expect(mine.text.value).toBe(expected);
      if (when === 'not sent') continue;
      await undone?.confirmed;
      await settled(theirs);
      expect(theirs.text.value).toBe(expected);
    }
    await settled(mine, theirs);
    expect([mine.text.value, theirs.text.value]).toEqual(['ab', 'ab']);
    expect(mine.db.conflicts.all()).toEqual([]);
  });

  test('comes after what others have done, and takes back its own', async () => {
    const { user, mine, theirs } = await two();
    await mine.text.dispatch(typed('m')).confirmed;
    mine.db.sync.pause();
    mine.db.undo();
    await theirs.db.sync.now();
    await theirs.text.dispatch(typed('t')).confirmed;
    await settled(mine, theirs);
    expect([mine.text.value, theirs.text.value]).toEqual(['t', 't']);
    // A device that comes later has the same.
    const late = await connect(user);
    await settled(late);
    expect(late.text.value).toBe('t');
    const names = await late.db.stream<Action>('text').history();
    expect(names.map(({ name }) => name)).toEqual(['typed', 'typed', 'erased']);
  });
});

describe('an append with `of` over HTTP', () => {
  const append = (realm: string, of?: string): Json => ({
    ...{ op: 'append', stream: 'text', realm },
    ...(of !== undefined && { of }),
  });
  async function act(client: WireClient, op: Json) {
    const action = uuid7();
    const actions = [{ id: action, name: 'act', arg: { letter: 'x' }, at: Date.now() }];
    const update = client.update([op], { actions });
    const { body } = await client.send([update]);
    const [result] = body.results as [Json];
    return { action, update: update.id as string, result };
  }
  const inStream = async (client: WireClient, realm: string) => {
    const url = `${client.url}/v1/streams/${encodeURIComponent(realm)}/text`;
    const answer = await fetch(url, { headers: client.headers });
    const { actions } = (await answer.json()) as { readonly actions: readonly Json[] };
    return actions.map(({ id }) => id);
  };

  test('is there if the log has that action, and if not its author is told', async () => {
    const user = `typing-${++users}`;
    const realm = `user:${user}`;
    const mine = new WireClient(server.url, user);
    const said = await act(mine, append(realm));
    const begun = await mine.pull();
    mine.cursors = begun.body.cursors as typeof mine.cursors;
    const undone = await act(mine, append(realm, said.action));
    expect(undone.result.noops ?? []).toEqual([]);
    const vain = await act(mine, append(realm, uuid7()));
    expect(vain.result).toMatchObject({ status: 'applied', noops: [0], notAppended: [0] });
    const redo = await act(mine, append(realm, vain.action));
    expect(redo.result).toMatchObject({ noops: [0], notAppended: [0] });
    expect(await inStream(mine, realm)).toEqual([said.action, undone.action]);
    // Where the pull reads the entry itself, of a client that does not name it, too; and where it lies below the cursor.
    const all = [said.update, vain.update];
    for (const have of [[], all, all]) {
      const { body } = await mine.pull({ have });
      const own = body.own as Record<string, Record<string, Json>>;
      expect(own[vain.update]?.[realm]).toMatchObject({ notAppended: [0] });
      expect(own[said.update]?.[realm]?.notAppended).toBeUndefined();
      if (have.length > 0) mine.cursors = body.cursors as typeof mine.cursors;
    }
  });
});
