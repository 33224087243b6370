// Mistakes about snapshots of streams (docs/design.md, "Streams"), in the core and the server (mutants.mjs).

export const snapshots = [
  {
    name: 'a state of before takes later actions along',
    file: 'src/client/tab_streams.cc',
    from: 'given.revision != stream->handed_upto',
    to: 'given.revision > stream->handed_upto',
  },
  {
    name: 'a state is taken that lacks actions which are gone',
    file: 'src/client/tab_streams.cc',
    from: 'if (state.revision < kept.floor) continue;',
    to: 'if (state.revision + 1000 < kept.floor) continue;',
  },
  {
    name: 'a reducer whose actions are gone asks for them without end',
    file: 'src/client/tab_streams.cc',
    from: 'if (options_.remote && !stream->has_asked_again && ',
    to: 'if (options_.remote && ',
  },
  {
    name: 'a window that has folded all that a snapshot holds begins again',
    file: 'src/client/streams.cc',
    from: 'stream.handed_upto >= step.revision',
    to: 'stream.handed_upto > step.revision',
  },
  {
    name: 'a window goes on from before a snapshot, with a gap',
    file: 'src/client/streams.cc',
    from: 'if (step.kind == StepKind::kSnapshot) Replaced(step, n);',
    to: '',
  },
  {
    name: 'what a snapshot holds is stored beside it',
    file: 'src/sync/pull_streams.cc',
    from: 'found.erase(found.begin(), found.lower_bound({snapshot.revision + 1, 0}));',
    to: '',
  },
  {
    name: 'states of other reducers stay when a snapshot takes the place of their actions',
    file: 'src/sync/pull_streams.cc',
    from: '  writes_.push_back(DeleteBetweenWrite(Store::kStreams, keys.from, keys.to));\n  StreamRecord record;',
    to: '  StreamRecord record;',
  },
  {
    name: 'an answer is folded before its snapshots are fetched',
    file: 'src/sync/sync_job_pull.cc',
    from: 'if (!FetchState(&states, turn))',
    to: 'if (states.next == 0)',
  },
  {
    name: 'a state that is no JSON is stored',
    file: 'src/sync/sync_job_pull.cc',
    from: 'if (!IsJson(state))',
    to: 'if (state.empty())',
  },
  {
    name: 'an older version of a reducer is asked for in place of a newer one',
    file: 'src/sync/streams.h',
    from: 'if (!is_higher && !is_again && *wanted.reducer != *held->reducer) return false;',
    to: '',
  },
  {
    name: 'a plain stream takes what is left for the whole',
    file: 'src/authority/pull_streams.cc',
    from: 'said.from[asked.realm] = read.floor;',
    to: 'said.from.clear();',
  },
];

export const snapshotsOnServer = [
  {
    name: 'actions are forgotten that no snapshot holds',
    test: 'test/server/stream-snapshots.test.ts',
    file: 'server/src/stream/forgetting.ts',
    from: ' and a.revision <= h.revision',
    to: '',
  },
  {
    name: 'a snapshot goes on from the beginning where actions are gone',
    test: 'test/server/stream-snapshots.test.ts',
    file: 'server/src/stream/snapshot-rows.ts',
    from: 'and (k.floor > ${from}\n',
    to: 'and (k.floor < 0\n',
  },
  {
    name: 'a new version of a reducer starts where it cannot go on',
    test: 'test/server/stream-snapshots.test.ts',
    file: 'server/src/stream/snapshots.ts',
    from: '    if (!fits)\n',
    to: '    if (!fits && rows.length < 0)\n',
  },
  {
    name: 'a snapshot is told to a client of another version',
    test: 'test/server/stream-snapshots.test.ts',
    file: 'server/src/stream/snapshot-rows.ts',
    from: 'and (k.floor > ${from}\n             or (${isSingle} and s.usable',
    to: 'and (k.floor > ${from}\n             or (${isSingle} and (s.usable or true)',
  },
  {
    name: 'a snapshot is given to whoever knows its name',
    test: 'test/server/stream-snapshots.test.ts',
    file: 'server/src/http/app.ts',
    from: 'if (name === null || !rights.has(name.realm) || !isStorable(name.stream))',
    to: 'if (name === null || !isStorable(name.stream))',
  },
  {
    name: 'a reducer that throws ends its stream',
    test: 'test/server/stream-snapshots.test.ts',
    file: 'server/src/stream/fold-work.ts',
    from: '        failed++;',
    to: '        throw error;',
  },
  {
    name: 'the state of an earlier version is not taken over',
    test: 'test/server/stream-snapshots.test.ts',
    file: 'server/src/stream/fold-work.ts',
    from: 'return from.version !== version && migrate ? migrate(stored, from.version) : stored;',
    to: 'return stored;',
  },
];
