// Goal: a stream that cannot be folded harms neither the process nor other streams: it is set apart, once, with its reason.
// Method: snapshots over a real database with actions of the test's own, by reducers in a real process, which exhaust its
// memory, loop for ever, or end it; and by functions in this one, with small limits.

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../server/src/db/database.ts';
import { flagsOf } from '../../server/src/process/child-link.ts';
import { migrate } from '../../server/src/sql/migrations.ts';
import type { Folder as StreamFolder } from '../../server/src/stream/folder.ts';
import { ModuleLink } from '../../server/src/stream/module-link.ts';
import { OwnFolder } from '../../server/src/stream/own-folder.ts';
import { ReducerTable, valuesOf } from '../../server/src/stream/reducers.ts';
import { StreamSnapshots } from '../../server/src/stream/snapshots.ts';
import { isRunning } from '../support/processes.ts';
import { openTestDatabase } from './support/database.ts';
import { Folder } from './support/server.ts';

const files = new Folder();
const open: StreamSnapshots[] = [];
let db: Database;

beforeAll(async () => {
  db = await openTestDatabase();
  await migrate(db);
});
afterAll(async () => {
  for (const each of open) await each.close();
  await db.close();
  files.remove();
});

let realms = 0;
const newRealm = () => `realm-${++realms}`;

/** Appends entries of so many arguments each, at revisions from `from` on. */
async function append(
  realm: string,
  stream: string,
  from: number,
  entries: readonly (readonly unknown[])[],
): Promise<void> {
  const rows = entries.flatMap((args, i) =>
    args.map((arg, position) => {
      const text = JSON.stringify(arg);
      const place = { realm, stream, revision: from + i, position };
      return { ...place, id: randomUUID(), arg, bytes: text.length + 512 };
    }),
  );
  await db.query(
    `insert into skerry.append (realm, stream, revision, position, id, name, arg, at, made_at, author, bytes)
     select k.realm, k.stream, k.revision, k.position, k.id, 'said', k.arg, 1000, 1000, 'anna', k.bytes
       from json_to_recordset($1::text::json) as k(realm text, stream text, revision bigint, position integer,
            id text, arg json, bytes integer)`,
    [JSON.stringify(rows)],
  );
}

interface Row extends Record<string, string> {
  readonly place: string;
}
const one = (realm: string) => [realm];
const apartIn = (realm: string) =>
  db.query<Row>(
    `select stream || ' v' || version || ' ' || reason || ' @' || revision as place, detail
       from skerry.stream_apart where realm = $1::text order by stream, version`,
    one(realm),
  );
const snapshotsIn = (realm: string) =>
  db.query<Row>(
    `select stream || ' v' || version || ' @' || revision as place, state
       from skerry.stream_snapshot where realm = $1::text order by stream, version, revision`,
    one(realm),
  );
const places = (rows: readonly Row[]) => rows.map(({ place }) => place);

const kNever = 30 * 24 * 3_600_000;

interface Made {
  readonly snapshots: StreamSnapshots;
  readonly lines: readonly string[];
  /** Makes it look at a stream to which something was appended. */
  appended(realm: string, stream: string): void;
}

function snapshotsBy(folder: StreamFolder, reducers: unknown, retentionMs = kNever): Made {
  const lines: string[] = [];
  const snapshots = new StreamSnapshots({
    ...{ database: db, folder, every: 5, retentionMs },
    reducers: new ReducerTable(reducers),
    log: (message, error) => void lines.push(`${message} ${String(error)}`),
  });
  open.push(snapshots);
  const appended = (realm: string, stream: string) =>
    snapshots.committed([{ realm, streams: [stream], appends: 5 }]);
  return { snapshots, lines, appended };
}

/** By functions, with a state of up to 100 bytes that is measured after every page. */
function byFunctions(reducers: object, retentionMs?: number): Made {
  const limits = { stateBytes: 100, measureBytes: 0 };
  const table = new ReducerTable(reducers);
  return snapshotsBy(new OwnFolder(table, valuesOf(null), limits), reducers, retentionMs);
}

/** By a module whose reducers have these texts: in a process of its own. */
async function byModule(
  text: string,
  { seconds = 5, memory = 64, idleMs = 10_000 } = {},
): Promise<Made> {
  const path = files.file(`${randomUUID()}.mjs`, text);
  const module = pathToFileURL(path);
  const { reducers } = (await import(module.href)) as { reducers: unknown };
  const limits = { stateBytes: 1 << 20, measureBytes: 1 << 18 };
  return snapshotsBy(new ModuleLink({ module, limits, memory, seconds, idleMs }), reducers);
}

const list = { initialState: [], reducer: (all: unknown[], next: unknown) => [...all, next] };
const count = `initialState: 0, reducer: (n) => n + 1`;
const fives = [[1], [2], [3], [4], [5]];

describe('a reducer in its process', () => {
  const wait = `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000)`;
  // Beside the heap.
  const large = `() => { Array.from({ length: 50 }, () => Buffer.alloc(1e7, 1)).at(${wait}.length); }`;
  const wrong = [
    ['memory', 'memory', /more than 64 MB/, `(all) => { for (;;) all.push({ all: [1.5] }); }`],
    ['array', 'memory', /more than 64 MB/, `(all) => { for (;;) all.push(1.5); }`],
    ['bytes', 'memory', /more than 64 MB/, large],
    ['loop', 'time', /longer than 5 s/, `() => { for (;;); }`],
    ['exit', 'ended', /ended the process \(7\)/, `() => process.exit(7)`],
    ['later', 'ended', /ended the process \(1\)/, `() => { Promise.reject(new Error('later')); }`],
    ['circle', 'failed', /could not be written/, `() => { const a = {}; a.a = a; return a; }`],
    ['half', 'failed', /half of a surrogate pair/, `() => '\\ud800'`],
  ] as const;

  test.each(wrong)('%s: its stream is set apart, and the next is folded', async (...row) => {
    const [stream, reason, detail, reducer] = row;
    const realm = newRealm();
    const made = await byModule(`export const reducers = {
      ${stream}: { initialState: [], reducer: ${reducer} }, ok: { ${count} },
    };`);
    await append(realm, stream, 1, [...fives, ...fives]);
    await append(realm, 'ok', 11, fives);
    made.appended(realm, stream);
    made.appended(realm, 'ok');
    await expect.poll(async () => places(await snapshotsIn(realm))).toEqual(['ok v1 @15']);
    const apart = await apartIn(realm);
    // What ends the process a little later may do so after the last page.
    expect(places(apart)[0]).toMatch(new RegExp(`^${stream} v1 ${reason} @(0|10)$`));
    expect(apart[0]?.detail).toMatch(detail);
    const named = () => made.lines.filter((line) => line.includes('is set apart'));
    expect(named()).toEqual([expect.stringContaining(`"${stream}" of the realm "${realm}"`)]);
    expect(made.lines).toHaveLength(1);
  });

  test('is tried again if it ended, since the machine may have ended it', async () => {
    const realm = newRealm();
    const mark = JSON.stringify(join(files.path, `${realm}-ended`));
    const made = await byModule(`
      import { existsSync, writeFileSync } from 'node:fs';
      export const reducers = { once: { initialState: 0, reducer: (n) => {
        if (!existsSync(${mark})) { writeFileSync(${mark}, ''); process.kill(process.pid, 'SIGKILL'); }
        return n + 1;
      } } };`);
    await append(realm, 'once', 1, fives);
    made.appended(realm, 'once');
    await expect.poll(async () => places(await snapshotsIn(realm))).toEqual(['once v1 @5']);
    expect([await apartIn(realm), made.lines]).toEqual([[], []]);
  });

  test('goes on when the terminal stops the server, which may want its answer', async () => {
    const realm = newRealm();
    const made = await byModule(`export const reducers = { stop: {
      initialState: 0, reducer: (n) => { process.kill(process.pid, 'SIGINT'); return n + 1; } } };`);
    await append(realm, 'stop', 1, fives);
    made.appended(realm, 'stop');
    await expect.poll(async () => places(await snapshotsIn(realm))).toEqual(['stop v1 @5']);
  });

  test('ends when there is nothing to fold, and starts again', async () => {
    const realm = newRealm();
    const made = await byModule(
      `export const reducers = { pids: { initialState: [], reducer: (all) => [...all, process.pid] } };`,
      { idleMs: 50 },
    );
    const pids = async () =>
      (await snapshotsIn(realm)).map(({ state }) => new Set(JSON.parse(state ?? '') as number[]));
    await append(realm, 'pids', 1, fives);
    made.appended(realm, 'pids');
    await expect.poll(async () => (await pids()).length).toBe(1);
    const [first = 0] = (await pids())[0] ?? [];
    await expect.poll(() => isRunning(first)).toBe(false);
    await append(realm, 'pids', 6, fives);
    made.appended(realm, 'pids');
    await expect.poll(async () => (await pids()).at(-1)?.size).toBe(2);
    expect([await apartIn(realm), made.lines]).toEqual([[], []]);
  });

  test('a state that cannot be taken over is its stream’s fault', async () => {
    const realm = newRealm();
    const reducers = (version: number, migrate: string) => `export const reducers = {
      doc: { ${count}, version: ${version}, migrate: ${migrate} },
    };`;
    const first = await byModule(reducers(1, '(n) => n'));
    await append(realm, 'doc', 1, fives);
    first.appended(realm, 'doc');
    await expect.poll(async () => places(await snapshotsIn(realm))).toEqual(['doc v1 @5']);
    const second = await byModule(reducers(2, `() => { throw new Error('no way'); }`));
    second.appended(realm, 'doc');
    await expect.poll(async () => places(await apartIn(realm))).toEqual(['doc v2 failed @5']);
    expect((await apartIn(realm))[0]?.detail).toContain('no way');
    // The next version is another one.
    const third = await byModule(reducers(3, '(n) => n * 10'));
    third.appended(realm, 'doc');
    await expect
      .poll(async () => places(await snapshotsIn(realm)))
      .toEqual(['doc v1 @5', 'doc v3 @5']);
  });

  test('a module that has changed, or cannot start, is no stream’s fault', async () => {
    const realm = newRealm();
    await append(realm, 'doc', 1, fives);
    const file = `${randomUUID()}.mjs`;
    const text = (version: number) => `export const reducers = { doc: {
      ${count}, version: ${version} } };`;
    const module = pathToFileURL(files.file(file, text(2)));
    const limits = { stateBytes: 1 << 20, measureBytes: 1 << 18 };
    const link = () => new ModuleLink({ module, limits, memory: 64, seconds: 5 });
    const older = snapshotsBy(link(), { doc: { ...list, version: 1 } });
    older.appended(realm, 'doc');
    await expect.poll(() => older.lines.join()).toContain('it has changed since');
    const tries = join(files.path, `${realm}-tries`);
    files.file(
      file,
      `import { appendFileSync } from 'node:fs'; appendFileSync(${JSON.stringify(tries)}, '.'); throw new Error('not here');`,
    );
    const broken = snapshotsBy(link(), { doc: { ...list, version: 1 } });
    broken.appended(realm, 'doc');
    await expect.poll(() => broken.lines.join()).toContain('not here');
    // It would fail again at once.
    broken.appended(realm, 'doc');
    await expect.poll(() => broken.lines.length).toBe(2);
    expect(readFileSync(tries, 'utf8')).toBe('.');
    expect(await apartIn(realm)).toEqual([]);
  });

  test('ends with the server, and no stream is blamed for that', async () => {
    const realm = newRealm();
    const begun = join(files.path, 'begun');
    const path = JSON.stringify(begun);
    // Also at the last try.
    const reducer = `() => {
      appendFileSync(${path}, '.');
      if (readFileSync(${path}, 'utf8') === '.') process.exit();
      for (;;);
    }`;
    const made = await byModule(
      `import { appendFileSync, readFileSync } from 'node:fs';
       export const reducers = { loop: { initialState: 0, reducer: ${reducer} } };`,
      { seconds: 1_000 },
    );
    await append(realm, 'loop', 1, fives);
    made.appended(realm, 'loop');
    await expect.poll(() => existsSync(begun) && readFileSync(begun, 'utf8')).toBe('..');
    await made.snapshots.close();
    expect([await apartIn(realm), made.lines]).toEqual([[], []]);
  });
});

test('the process has the flags of the server, but for those of one process', () => {
  const own = ['--import', 'tsx', '--inspect=9229', '--input-type=module', '--liftoff-only'];
  const program = ['--max-old-space-size=4096', '-e', 'createServer()'];
  expect(flagsOf([...own, ...program], 64)).toEqual([
    ...['--import', 'tsx', '--liftoff-only', '--max-old-space-size=64'],
  ]);
});

describe('a state', () => {
  /** Entries of one action each, with which the state has this many bytes. */
  const upTo = (bytes: number) => [
    ['x'.repeat(20)],
    ['x'.repeat(20)],
    ['x'.repeat(20)],
    ['x'.repeat(20)],
    ['x'.repeat(bytes - 2 - 4 * 23 - 2)],
  ];

  test('may have as many bytes as the limit says, and not one more', async () => {
    const [fits, passes] = [newRealm(), newRealm()];
    const made = byFunctions({ doc: list });
    await append(fits, 'doc', 1, upTo(100));
    await append(passes, 'doc', 1, upTo(101));
    made.appended(fits, 'doc');
    made.appended(passes, 'doc');
    await expect.poll(async () => places(await apartIn(passes))).toEqual(['doc v1 state @0']);
    expect(places(await snapshotsIn(fits))).toEqual(['doc v1 @5']);
    expect((await apartIn(passes))[0]?.detail).toContain('101 bytes, and may have');
    expect([await apartIn(fits), await snapshotsIn(passes)]).toEqual([[], []]);
  });

  test('is measured while it is folded, and the last one that fits is kept', async () => {
    const realm = newRealm();
    const made = byFunctions({
      doc: { ...list, reducer: (all: string[], next: string) => [...all, next.slice(0, 40)] },
    });
    // Two entries fill a page of 2 MiB, so that the second page passes the limit, and the third is never folded.
    const large = 'x'.repeat(900_000);
    await append(
      realm,
      'doc',
      1,
      Array.from({ length: 6 }, () => [large]),
    );
    made.appended(realm, 'doc');
    await expect.poll(async () => places(await apartIn(realm))).toEqual(['doc v1 state @2']);
    expect(places(await snapshotsIn(realm))).toEqual(['doc v1 @2']);
  });

  test('that is too large leaves its stream alone, and old actions go', async () => {
    const realm = newRealm();
    let folded = 0;
    const reducer = (all: string[], next: string) => {
      folded++;
      return [...all, next];
    };
    const made = byFunctions({ doc: { ...list, reducer }, ok: { initialState: 0, reducer } }, 1);
    await append(realm, 'doc', 1, [['1'], ['2'], ['3'], ['4'], ['5']]);
    made.appended(realm, 'doc');
    await expect.poll(async () => places(await snapshotsIn(realm))).toEqual(['doc v1 @5']);
    await append(realm, 'doc', 6, upTo(101));
    made.appended(realm, 'doc');
    await expect.poll(async () => places(await apartIn(realm))).toEqual(['doc v1 state @5']);
    const before = folded;
    await append(realm, 'doc', 11, fives);
    await append(realm, 'ok', 16, fives);
    made.appended(realm, 'doc');
    made.appended(realm, 'ok');
    await expect
      .poll(async () => places(await snapshotsIn(realm)))
      .toEqual(['doc v1 @5', 'ok v1 @20']);
    expect(folded - before).toBe(5);
    // What the snapshot holds is forgotten; what came after it stays for who folds by himself.
    const left = await db.query<{ revision: string }>(
      `select revision::text as revision from skerry.append where realm = $1::text and stream = 'doc' order by 1`,
      one(realm),
    );
    expect(left.map(({ revision }) => Number(revision)).sort((a, b) => a - b)).toEqual([
      6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
    ]);
    expect(made.lines.filter((line) => line.includes('set apart'))).toHaveLength(1);
  });
});

describe('a page', () => {
  test('holds whole entries, as many as have a thousand actions', async () => {
    const realm = newRealm();
    const sizes: number[] = [];
    const reducers = { doc: { initialState: 0, reducer: (n: number) => n + 1 } };
    const own = new OwnFolder(new ReducerTable(reducers), valuesOf(null), {
      ...{ stateBytes: 100, measureBytes: 1 << 20 },
    });
    const page = own.page.bind(own);
    own.page = (actions) => {
      sizes.push(actions.length);
      return page(actions);
    };
    const made = snapshotsBy(own, reducers);
    const entry = (actions: number) => Array.from({ length: actions }, () => 1);
    await append(realm, 'doc', 1, [entry(400), entry(600), entry(1), entry(1_000), entry(2)]);
    made.appended(realm, 'doc');
    await expect.poll(async () => places(await snapshotsIn(realm))).toEqual(['doc v1 @5']);
    expect(sizes).toEqual([1_000, 1, 1_000, 2]);
    expect((await snapshotsIn(realm))[0]?.state).toBe('2003');
  });

  test('of large actions makes a stream due before it has many', async () => {
    const [due, not] = [newRealm(), newRealm()];
    const made = byFunctions({ doc: { initialState: 0, reducer: (n: number) => n + 1 } });
    const large = (bytes: number) => [Array.from({ length: 4 }, () => 'x'.repeat(bytes / 4 - 514))];
    await append(due, 'doc', 1, large(8 << 20));
    await append(not, 'doc', 1, large((8 << 20) - 4));
    made.appended(not, 'doc');
    made.appended(due, 'doc');
    await expect.poll(async () => places(await snapshotsIn(due))).toEqual(['doc v1 @1']);
    expect(await snapshotsIn(not)).toEqual([]);
  });
});
