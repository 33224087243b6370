// Mistakes about reducers that the server runs.

const kApart = 'test/server/apart.test.ts';
const kFolder = 'test/server/folder.test.ts';

export const foldingOnServer = [
  {
    name: 'a stream that cannot be folded is folded again and again',
    test: kApart,
    file: 'server/src/stream/snapshots.ts',
    from: 'if (error instanceof FoldFault) await this.#setApart(place, error);',
    to: 'if (error instanceof FoldFault) this.#parts.log(key, error);',
  },
  {
    name: 'a stream that is set apart is tried again by the next start',
    test: kApart,
    file: 'server/src/stream/snapshots.ts',
    from: 'p.stream = $2::text collate "C" and p.version = $3::bigint)',
    to: 'p.stream = $2::text collate "C" and p.version < $3::bigint)',
  },
  {
    name: 'another version of a reducer is not tried',
    test: kApart,
    file: 'server/src/stream/snapshots.ts',
    from: 'p.stream = $2::text collate "C" and p.version = $3::bigint)',
    to: 'p.stream = $2::text collate "C")',
  },
  {
    name: 'a state at its limit takes more',
    test: kApart,
    file: 'server/src/push/full-streams.ts',
    from: "a.kind = 'limit' limit 1",
    to: "a.kind = 'none' limit 1",
  },
  {
    name: 'a stranger learns that a state is at its limit',
    test: kApart,
    file: 'server/src/push/full-streams.ts',
    from: 'where k.granted or exists (',
    to: 'where true or exists (',
  },
  {
    name: 'a reducer may take all the time',
    test: kFolder,
    file: 'server/src/stream/folder.ts',
    from: '        }, pageMs);',
    to: '        }, 2 ** 30);',
  },
  {
    name: 'a state is measured at its end only',
    test: kFolder,
    file: 'server/src/stream/fold-state.ts',
    from: 'if (this.#unmeasured >= kMeasureEvery) this.text();',
    to: '',
  },
  {
    name: 'a thread that has ended is not started again',
    test: kFolder,
    file: 'server/src/stream/folder.ts',
    from: `      if (this.#worker !== worker) return;
      this.#worker = null;`,
    to: '      if (this.#worker !== worker) return;',
  },
  {
    name: 'a module that does not load speaks against the stream',
    test: kFolder,
    file: 'server/src/stream/folder.ts',
    from: 'throw new Error(`The reducers could not be loaded in a thread: ${error.message}`);',
    to: 'throw error;',
  },
];
