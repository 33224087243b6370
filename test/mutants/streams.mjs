// Mistakes about streams (docs/design.md, "Streams"), in the core, the server and the package (mutants.mjs).

export const streams = [
  {
    name: 'an own action that is confirmed in its realm is shown as pending when it is heard of late',
    file: 'src/client/streams.cc',
    from: 'if (pending != nullptr && AppendsTo(*pending, *stream))',
    to: 'if (pending != nullptr)',
  },
  {
    name: 'what was read of a stream is shown before the window has come so far',
    file: 'src/client/streams.cc',
    from: '} else if (stored.n > n) {',
    to: '} else if (stored.n > n + 1000) {',
  },
  {
    name: 'a reducer gets an action before those that come before it',
    file: 'src/client/streams.cc',
    from: 'const uint64_t filled = stream->is_cut_off ? 0 : FilledOf(*stream);',
    to: 'const uint64_t filled = stream->is_cut_off ? 0 : kMaxCount;',
  },
  {
    name: 'a stream whose realm is dropped goes on from what it had',
    file: 'src/client/streams.cc',
    from: '    stream.handed_upto = 0;\n    stream.is_reset = true;',
    to: '    stream.handed_upto = 0;\n    stream.is_reset = false;',
  },
  {
    name: 'a realm that is dropped while its stream is read leaves what was read',
    file: 'src/client/streams.cc',
    from: '  if (stream.is_stale) {',
    to: '  if (stream.is_stale && stored.n == 0) {',
  },
  {
    name: 'a state is stored over a later one',
    file: 'src/client/tab_streams.cc',
    from: 'other.reducer == state.reducer && other.revision >= state.revision',
    to: 'other.reducer == state.reducer && other.revision > state.revision + 1000',
  },
  {
    name: 'a window stores a state though it has not seen all of the history',
    file: 'src/client/tab_streams.cc',
    from: '  if (!FollowsOwn(sync)) return;\n  StoredStates kept',
    to: '  StoredStates kept',
  },
  {
    name: 'as many rows are read as actions are wanted, though a row has hundreds',
    file: 'src/client/tab_streams.cc',
    from: 'last.asked = std::min(kFirstRows, RowsFor(stream->keep));',
    to: 'last.asked = RowsFor(stream->keep);',
  },
  {
    name: 'what was handed over of another history counts while a stream is read again',
    file: 'src/client/streams.cc',
    from: 'stream.reducer.has_value() && stream.read_upto > 0;',
    to: 'stream.reducer.has_value();',
  },
  {
    name: 'a list that needs only the last actions removes what a reducer has to fold',
    file: 'src/client/tab_streams.cc',
    from: '    if (!AreFolded(sync, *stream, kept, floor)) return;\n',
    to: '',
  },
  {
    name: 'a list takes any state of a reducer for one that holds all that goes',
    file: 'src/client/tab_streams.cc',
    from: 'state.reducer == *one.reducer && state.revision >= floor',
    to: 'state.reducer == *one.reducer',
  },
  {
    name: 'actions go that the older of two states needs',
    file: 'src/client/tab_streams.cc',
    from: 'lowest = std::min(lowest, other.revision);',
    to: 'lowest = std::max(lowest, other.revision);',
  },
  {
    name: 'without a remote, actions go when a state holds them',
    file: 'src/client/tab_streams.cc',
    from: 'if (!options_.remote || floor <= kept.floor) return;',
    to: 'if (floor <= kept.floor) return;',
  },
  {
    name: 'a state of another version is taken without being taken over',
    file: 'src/client/tab_streams.cc',
    from: 'if (is_own || (stream.migrates && state.reducer',
    to: 'if (is_own || (state.reducer > 0 && state.reducer',
  },
  {
    name: 'a stream that is asked for late counts as complete',
    file: 'src/sync/streams.cc',
    from: 'for (const auto& [realm, cursor] : cursors) stream->behind[realm] = 0;',
    to: 'static_cast<void>(cursors);',
  },
  {
    name: 'the actions of a revoked realm stay',
    file: 'src/sync/pull_fold.cc',
    from: '    DropStreamsOf(realm, &writes_);\n',
    to: '',
  },
  {
    name: 'own actions are not stored again after their realm was read from the start',
    file: 'src/sync/pull_streams.cc',
    from: '!was_stored || AnsweredUpTo(wanted, realm).value_or(0) >= entry.revision',
    to: '!was_stored',
  },
  {
    name: 'own actions are stored again in each pull until their update is confirmed everywhere',
    file: 'src/sync/pull_streams.cc',
    from: '!was_stored || AnsweredUpTo(wanted, realm).value_or(0) >= entry.revision',
    to: 'true',
  },
  {
    name: 'a page of a stream leaves own actions of its range beside it',
    file: 'src/sync/pull_streams.cc',
    from: '      ClearFilled(*stream, realm, filled);\n',
    to: '',
  },
  {
    name: 'a stream that is sent in part counts as sent',
    file: 'src/authority/pull_streams.cc',
    from: 'if (is_cut) filled = read.actions.back().revision;',
    to: '',
  },
  {
    name: 'own actions of a stream are sent back to their client',
    file: 'src/authority/pull_streams.cc',
    from: 'if (own.contains({asked.realm, action.revision})) continue;',
    to: 'if (own.contains({asked.realm, action.revision + 1})) continue;',
  },
  {
    name: 'half of a surrogate pair is let into an argument',
    file: 'src/client/transaction_undo.cc',
    from: 'if (!IsStorableJson(arg))',
    to: 'if (!IsStorableText(arg))',
  },
  {
    name: 'an argument that no server could read is grouped',
    file: 'src/sync/grouping.cc',
    from: '  if (!arg.empty() && !(IsJson(arg) && IsStorableJson(arg)))',
    to: '  if (!arg.empty() && !IsJson(arg))',
  },
  {
    name: 'streams that find no room are asked for without end',
    file: 'src/sync/sync_worker_tx.cc',
    from: '  left_out_streams_ = left_out.streams;\n',
    to: '',
  },
  {
    name: 'a stream that a window has open makes room for another one',
    file: 'src/sync/streams.cc',
    from: '  return oldest < today - 1 && DropBefore',
    to: '  return DropBefore',
  },
  {
    name: 'more of the last actions are not asked for',
    file: 'src/sync/streams.cc',
    from: '(!last.has_value() || *last > *than)',
    to: '!last.has_value()',
  },
  {
    name: 'a row with actions after the floor is removed',
    file: 'src/client/tab_streams.cc',
    from: '    if (actions.back().place.first > *floor) return actions[0].place.first - 1;\n',
    to: '',
  },
  {
    name: 'of rows that overlap, only the last one before a state is read',
    file: 'src/client/tab_streams.cc',
    from: 'ActionsKey(stream->realm, stream->name, from), kMaxRowActions));',
    to: 'ActionsKey(stream->realm, stream->name, from), 1));',
  },
  {
    name: 'rows beyond those that were looked at are forgotten',
    file: 'src/client/tab_streams.cc',
    from: '  if (rows.items().size() == kRowsForgotten) *floor = last;\n',
    to: '',
  },
  {
    name: 'a clock offset makes all times invalid',
    file: 'src/log/wire.cc',
    from: ' && std::abs(*read) <= kMaxTimeMs / 2 ?',
    to: ' ?',
  },
  {
    name: 'an entry that appends more actions than a row has is cut, and the second row takes its key',
    file: 'src/log/stream_record.cc',
    from: 'if (is_full && actions[i].place.first != row.back().place.first) break;',
    to: 'if (is_full) break;',
  },
];

export const replay = [
  {
    name: 'an action that is replayed makes other objects on each device',
    file: 'src/client/transaction.cc',
    from: 'action.id.empty() ? ids_->Next(action.at) :',
    to: 'action.at > 0 ? ids_->Next(action.at) :',
  },
  {
    name: 'an action that is replayed makes one object instead of two',
    file: 'src/client/transaction.cc',
    from: 'DerivedUuid(action.id, ++made_)',
    to: 'DerivedUuid(action.id, made_)',
  },
  {
    name: 'an action that is pending is replayed',
    file: 'src/client/client.cc',
    from: 'if (tab_.mirror().pending().Find(id) != nullptr) return false;',
    to: '',
  },
  {
    name: 'a replayed action has an id of its own',
    file: 'src/client/transaction.cc',
    from: 'if (mutation.action.id.empty()) mutation',
    to: 'mutation',
  },
];

export const streamsOnServer = [
  {
    name: 'a page of the past ends with the action before which it was asked for',
    test: 'test/server/streams.test.ts',
    file: 'server/src/stream/history.ts',
    from: '(a.revision, a.position) < (',
    to: '(a.revision, a.position) <= (',
  },
  {
    name: 'an append pokes nobody who wants its stream',
    test: 'test/server/streams.test.ts',
    file: 'server/src/poke/hub.ts',
    from: 'streams.some((stream) => listener.wantsStream(stream)) ||',
    to: '',
  },
  {
    name: 'a stream of entries with many actions waits for its snapshot',
    test: 'test/server/stream-snapshots.test.ts',
    file: 'server/src/stream/snapshots.ts',
    from: '(this.#counts.get(key) ?? 0) + appends',
    to: '(this.#counts.get(key) ?? 0) + Math.min(appends, 1)',
  },
  {
    name: 'a state with half of a surrogate pair is handed out',
    test: 'test/server/streams-client.test.ts',
    file: 'server/src/stream/fold-work.ts',
    from: '      if (halfPair.test(state))',
    to: '      if (state === null)',
  },
];

export const streamsOfPackage = [
  {
    name: 'what a subscriber causes reaches the others before what caused it',
    test: 'test/js/streams.test.ts',
    file: 'js/api/call-queue.ts',
    from: 'this.#calls.push(...calls);',
    to: 'this.#calls.unshift(...calls);',
  },
  {
    name: 'a reducer may dispatch',
    test: 'test/js/streams.test.ts',
    file: 'js/api/reduced-stream.ts',
    from: 'if (this.#isReducing)',
    to: 'if (this.#isReducing && this.#whole && !this.#whole)',
  },
  {
    name: 'pending actions are reduced over what was shown before',
    test: 'test/js/streams.test.ts',
    file: 'js/api/reduced-stream.ts',
    from: 'this.#value = this.#wasWhole ? this.#confirmed : this.#options.initialState;',
    to: 'this.#value = this.#wasWhole ? this.#value : this.#options.initialState;',
  },
  {
    name: 'an action that the reducer fails on gives no state at all',
    test: 'test/js/streams.test.ts',
    file: 'js/api/reduced-stream.ts',
    from: '      failed(messageOf(error));\n      return state;',
    to: '      failed(messageOf(error));\n      return undefined;',
  },
];
