// The page's end of the hub (test/engines/support/hub.ts): commands by name, because the site's Content-Security-Policy
// lets nothing be evaluated.
import { browserHost } from '../../../js/host/browser-host.ts';
import type { Outcome, StartOptions } from './page.ts';
import { renamed } from './renamed.ts';
import { sharing } from './sharing.ts';
import { streams } from './streams.ts';
import { typed } from './typed.ts';

let opened: StartOptions = {};

const commands = {
  ...renamed,
  ...sharing,
  ...streams,
  ...typed,
  start(options: StartOptions): Promise<void> {
    opened = options;
    return kit.start(options);
  },
  /** Service workers outlive their windows; the next test has none of this one's. */
  async unregister(): Promise<void> {
    for (const registration of await navigator.serviceWorker.getRegistrations())
      await registration.unregister();
  },
  /** Its window goes to another page. A page with a socket is kept by no engine; who comes back connects again. */
  leave(): void {
    leaving = true;
    // After the answer.
    setTimeout(() => socket?.close());
  },
  /** The page of its window is loaded again, and comes back under its name. */
  reload(): void {
    leaving = true;
    // After the answer.
    setTimeout(() => location.reload());
  },
  isOpen: () => 'db' in globalThis,
  status: () => db.sync.status,
  now: () => db.sync.now(),
  verify: () => db.sync.verify(),
  openedAs: () => ({ user: opened.user ?? '' }),
  caughtUp: () => db.sync.waitForSync({ timeoutMs: 60_000 }),
  /** As `burst`: `durable`, or the code of the application's error when storage fails. */
  tried: (counter: string, titles: readonly string[]): Promise<string> =>
    Promise.race([
      commands.burst(counter, titles).then(() => 'durable'),
      new Promise<string>((resolve) => db.on('storageFailed', ({ error }) => resolve(error.code))),
    ]),
  /**
   * Writes one row of so many bytes, which no engine can compress. Returns the outcome of its `durable`, and whether the
   * row is shown afterwards.
   */
  async large(title: string, bytes: number): Promise<{ outcome: Outcome; shown: boolean }> {
    const made = db.mutate.addNote({ title, body: kit.randomText(bytes) });
    const outcome = await kit.outcome(() => made.durable);
    return { outcome, shown: db.notes.get(made.result) !== undefined };
  },
  notes: () =>
    db.notes
      .orderBy('id')
      .all()
      .map(({ id, title, rank }) => ({ id, title, rank })),
  happened: () => kit.happened,
  /** An upgrade of the database takes so long for each record (next-idb-schema.ts). */
  slowUpgrade(ms: number): void {
    globalThis.onRewrite = () => {
      const end = performance.now() + ms;
      while (performance.now() < end);
    };
  },
  /** Web Locks that any window of this profile has or waits for. */
  async locks(): Promise<number> {
    const { held = [], pending = [] } = await navigator.locks.query();
    return held.length + pending.length;
  },
  logout: (unsynced: 'keep' | 'discard') => db.logout({ unsynced }),
  databasesOf: (user: string) => kit.databasesOf(user),
  stored: (store: string) => kit.stored(store, opened),
  /** A record that no code of this page would write. */
  async store(store: string, record: object): Promise<void> {
    const raw = await kit.openRaw(`skerry/test/${opened.user}`);
    const tx = raw.transaction(store, 'readwrite');
    const done = new Promise((resolve, reject) => {
      tx.oncomplete = resolve;
      tx.onabort = () => reject(tx.error);
    });
    tx.objectStore(store).add(record);
    await done;
    raw.close();
  },
  async counter(): Promise<string> {
    const made = db.mutate.addNote({ title: 'counter' });
    await made.confirmed;
    return made.result;
  },
  /** A group with one person in it, that everybody has: a list, and a note that refers to it. */
  async group(name: string, person: string): Promise<{ group: string; member: string }> {
    const made = db.transact((tx) => {
      const group = tx.lists.create({ name });
      return { group, member: tx.notes.create({ title: person, list: group }) };
    });
    await made.confirmed;
    return made.result;
  },
  async member(group: string, person: string): Promise<string> {
    const made = db.mutate.addNote({ title: person, list: group });
    await made.confirmed;
    return made.result;
  },
  deleteGroup: (group: string) => db.transact((tx) => tx.lists.delete(group)).durable,
  undo: () => db.undo()?.confirmed,
  redo: () => db.redo()?.confirmed,
  undoable: () => [db.canUndo.value, db.canRedo.value],
  edit: (id: string, patch: { title?: string; rank?: number }) =>
    db.mutate.editNote({ id, patch }).confirmed,
  /** What is shown of a group, by its table, by a query, and by an include. */
  inGroup: (group: string) => ({
    group: db.lists.get(group) !== undefined,
    people: db.notes
      .where('list', '=', group)
      .orderBy('title')
      .all()
      .map(({ title }) => title),
    included: db.notes
      .include('list')
      .all()
      .filter(({ list }) => list?.id === group).length,
  }),
  total: (counter: string) => db.notes.get(counter)?.rank ?? 0,
  /** Resolves when the window shows that row. */
  sees: (id: string) =>
    new Promise<void>((resolve) => {
      const stop = db.notes.where('id', '=', id).subscribe((rows) => {
        if (rows.length === 0) return;
        stop();
        resolve();
      });
    }),
  /**
   * One `inc` of the counter per title, each with a row of its own in the same action: an action that was applied twice,
   * or only in part, shows in the end. The rows' titles begin with the counter's id. Resolves when all are durable.
   */
  async burst(counter: string, titles: readonly string[]): Promise<void> {
    const made = titles.map((title) =>
      db.transact((tx) => {
        tx.notes.inc(counter, { rank: 1 });
        tx.notes.create({ title: `${counter} ${title}` });
      }),
    );
    await Promise.all(made.map(({ durable }) => durable));
  },
};
export type Commands = typeof commands;

/** Other pauses and time limits than those of the production. */
export function hostWith(times: Readonly<Record<string, number>>) {
  return { ...browserHost(), workerTimes: times };
}

/** Connects this page, where its address names a hub. */
export function joinHub(): void {
  const query = new URLSearchParams(location.search);
  const port = query.get('hub');
  if (!port) return;
  const url = `ws://127.0.0.1:${port}/?window=${query.get('window')}`;
  connect(url);
  addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return;
    leaving = false;
    connect(url);
  });
}

const REJOIN_MS = 200;

let socket: WebSocket | null = null;
let leaving = false;

function connect(url: string): void {
  const line = new WebSocket(url);
  socket = line;
  // The process that has the network ended, and the page lives: it comes back under its name.
  line.onclose = () => {
    if (!leaving) setTimeout(() => connect(url), REJOIN_MS);
  };
  line.onmessage = async ({ data }) => {
    const { call, name, args } = JSON.parse(data as string) as {
      call: number;
      name: keyof Commands;
      args: unknown[];
    };
    const run = commands[name] as (...given: unknown[]) => unknown;
    try {
      line.send(JSON.stringify({ call, value: await run(...args) }));
    } catch (error) {
      line.send(JSON.stringify({ call, error: String(error) }));
    }
  };
}
