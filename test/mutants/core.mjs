// Mistakes in the core, which its own tests have to notice (mutants.mjs says what they are).

export const core = [
  {
    name: 'the epoch of a lease is not checked before writing',
    file: 'src/sync/lease_record.cc',
    from: `record["owner"].as_string() == owner &&
         record["epoch"].as_u64() == epoch;`,
    to: `record["owner"].as_string() == owner && epoch == epoch;`,
  },
  {
    name: 'a former holder of the lease goes on writing',
    file: 'src/sync/sync_job.cc',
    from: 'return !lease_.persisted() || Holds(record, state_->tab, lease_.epoch());',
    to: 'return record.is_object();',
  },
  {
    name: "a service worker counts the epoch up from under a window's lease",
    file: 'src/sync/lease.cc',
    from: '  if (record["owner"].is_string()) return nullptr;\n',
    to: '',
  },
  {
    name: "a service worker's pause is cut short by whoever looks too early",
    file: 'src/sync/sync_job.cc',
    from: '(active_ || turn->mono < due_ms_)',
    to: 'active_',
  },
  {
    name: 'a service worker keeps its lock while it waits for a token',
    file: 'src/sync/sync_job.cc',
    from: '    if (!lease_.persisted()) lease_.Unwant("left", turn);\n',
    to: '',
  },
  {
    name: 'a window pushes although a service worker does',
    file: 'src/sync/sync_job.cc',
    from: 'if (next == LoopStep::kPush && helps()) {',
    to: 'if (false) {',
  },
  {
    name: 'what was asked of a service worker that was stopped is not asked again',
    file: 'src/sync/helper.cc',
    from: '    for (const Data& id : asked.items()) Ask(id, turn);\n',
    to: '',
  },
  {
    name: 'a change of which the service worker did not hear waits for the next poll',
    file: 'src/sync/helper.cc',
    from: 'if (mutated_) delay =',
    to: 'if (false) delay =',
  },
  {
    name: 'a service worker that answers late is given up at once',
    file: 'src/sync/helper.cc',
    from: 'if (asked_again_ && !slept) {',
    to: 'if (!slept) {',
  },
  {
    name: 'a lease is timed by the wall clock',
    file: 'src/sync/lease.cc',
    from: 'Observe(record_, turn->mono, config_.look_ms',
    to: 'Observe(record_, turn->now, config_.look_ms',
  },
  {
    name: 'a beat that moved is taken for one that stands still',
    file: 'src/sync/lease_record.cc',
    from: 'epoch != seen->epoch || beat != seen->beat) {',
    to: 'epoch != seen->epoch) {',
  },
  {
    name: 'the answer to a push confirms',
    file: 'src/sync/push.cc',
    from: `  writes_.push_back(PutWrite("outbox", update["id"], update));
  TellGone(`,
    to: `  writes_.push_back(DeleteWrite("outbox", update["id"]));
  for (const Data& member : update["mutations"].items()) {
    writes_.push_back(DeleteWrite("mutations", member["key"]));
  }
  TellGone(`,
  },
  {
    name: 'what is grouped already is grouped again',
    file: 'src/sync/grouping.cc',
    from: 'if (record["update"].is_string() || record["known"].is_object()) return;',
    to: 'if (record["known"].is_object()) return;',
  },
  {
    name: 'an update does not advance the chain by one',
    file: 'src/sync/chain.cc',
    from: 'next.Set("seq", link["seq"].as_u64() + 1).Set("id", id);',
    to: 'next.Set("seq", link["seq"].as_u64()).Set("id", id);',
  },
  {
    name: 'the server goes by numbers, not by the predecessor’s identity',
    file: 'src/authority/chain.cc',
    from: 'fits = fits && link == row->second.last;',
    to: 'fits = fits && link.seq == row->second.last.seq;',
  },
  {
    name: 'what follows a refused update stays in the outbox',
    file: 'src/sync/chain.cc',
    from: 'if (i != index && !follows) {',
    to: 'if (i != index) {',
  },
  {
    name: 'children of a deleted object are not deleted with it',
    file: 'src/authority/effects.cc',
    from: 'if (rule == OnDelete::kCascade) Drop(child, is_orphan);',
    to: 'if (rule == OnDelete::kCascade && is_orphan) Drop(child, is_orphan);',
  },
  {
    name: 'own ops are left out of the record of a pull',
    file: 'src/sync/pull_fold.cc',
    from: 'if (!step.ops.empty()) steps_.push_back(std::move(step));',
    to: 'if (step.ops.size() > 1) steps_.push_back(std::move(step));',
  },
  {
    name: 'own ops are folded whether or not the answer was reduced by them',
    file: 'src/sync/pull_fold.cc',
    from: 'if (request_->have.count(id) == 0) continue;\n    for (const auto& [realm, place]',
    to: 'for (const auto& [realm, place]',
  },
  {
    name: 'scopes that changed while a pull was on its way are not noticed',
    file: 'src/sync/pull_fold.cc',
    from: `!(sync_["cursors"] == request_->cursors) || !(sync_["scopes"] == request_->scopes))
    return false;
  if (sync_["scopeVersion"].as_u64() != request_->scope_version) return false;`,
    to: '!(sync_["cursors"] == request_->cursors)) return false;',
  },
  {
    name: 'an answer to older cursors is folded',
    file: 'src/sync/pull_fold.cc',
    from: 'if (!StillAsAsked()) return false;',
    to: '',
  },
  {
    name: 'records are removed up to the new image, not to the one before',
    file: 'src/sync/image_job.cc',
    from: 'return previous["n"].as_u64();',
    to: 'return (*sync)["image"]["n"].as_u64();',
  },
  {
    name: 'a cursor is one too high for own entries',
    file: 'src/sync/pull_fold.cc',
    from: 'revision <= CursorRevision(request_->cursors[realm])',
    to: 'revision <= CursorRevision(request_->cursors[realm]) + 1',
  },
  {
    name: 'the revision alone tells whether a known action was pulled',
    file: 'src/sync/pull_fold.cc',
    from: 'if (answer_->known.is_null()) {\n      if (Contains(answer_->reset, realm)) return Whereabouts::kLost;',
    to: 'if (true) {',
  },
  {
    name: 'a window applies broadcasts without looking at their number',
    file: 'src/client/mirror.cc',
    from: 'if (n > n_ + 1 || NeedsOtherImage(record, generation_)) return Fit::kGap;',
    to: '',
  },
  {
    name: 'a broadcast that comes twice is applied twice',
    file: 'src/client/mirror.cc',
    from: 'if (n <= n_) return Fit::kKnown;',
    to: '',
  },
  {
    name: 'a mutation that is gone comes back with a late message',
    file: 'src/client/mirror.cc',
    from: 'if (gone != gone_.end() && key <= gone->second) return Fit::kKnown;',
    to: '',
  },
  {
    name: 'a commit that another window overtook does not reorder',
    file: 'src/client/mirror.cc',
    from: 'if (overtaken) {',
    to: 'if (overtaken && false) {',
  },
  {
    name: 'a window does not hear that it missed the last record',
    file: 'src/client/tab.cc',
    from: 'if (ready_ && message["n"].as_u64() > mirror_.n())',
    to: 'if (ready_ && message["n"].as_u64() > mirror_.n() + 1)',
  },
  {
    name: 'a reset leaves the rows of realms that wait to be filled again',
    file: 'src/client/tab_load.cc',
    from: 'sync["refill"].is_array() ? sync["refill"] : Data::MakeArray()',
    to: 'Data::MakeArray()',
  },
  {
    name: 'of an object in two realms the one stays that came first',
    file: 'src/log/record.cc',
    from: 'if (CameAnew(*named)) {',
    to: 'if (!CameAnew(*named)) {',
  },
  {
    name: 'two incs are one',
    file: 'src/log/fold_op.cc',
    from: 'AddToValue(row->props[change.prop], change.by)',
    to: 'AddToValue(Value::Null(), change.by)',
  },
  {
    name: 'an update of a deleted object makes it anew',
    file: 'src/log/fold_op.cc',
    from: 'if (op.kind != OpKind::kCreate) return false;',
    to: 'if (op.kind == OpKind::kDelete) return false;',
  },
  {
    name: 'a large realm of another history is sent row by row',
    file: 'src/authority/pull.cc',
    from: 'realm.mode = ModeAnew(realm.now);\n    realm.from = {};',
    to: 'realm.mode = Mode::kState;\n    realm.from = {};',
  },
  {
    name: 'a page tells of a realm that comes by image',
    file: 'src/authority/pull.cc',
    from: 'realm->second.mode == Mode::kImage) continue;\n      page.ids',
    to: 'false) continue;\n      page.ids',
  },
  {
    name: 'a realm too large for an answer is sent in one',
    file: 'src/authority/pull.cc',
    from: 'if (realm.now.rows > kStateRows) answer_.is_gone = true;',
    to: '',
  },
  {
    name: 'a transaction that no body can hold is taken',
    file: 'src/client/transaction.cc',
    from: 'if (!pushed_ || estimate <= kMaxBodyBytes / 6 / 4 * 3) return Status::Ok();',
    to: 'if (mutation.ops.size() > 0) return Status::Ok();',
  },
  {
    name: 'an argument that the client takes is refused for ever',
    file: 'src/log/update_json.cc',
    from: 'if (action->arg.size() <= kMaxMutationBytes)',
    to: 'if (action->arg.size() <= kMaxObjectBytes)',
  },
  {
    name: 'rows are taken over under live queries that wait to hear of changes',
    file: 'src/client/view.cc',
    from: 'return shadows_.empty() && (live_ == nullptr || live_->IsSettled());',
    to: 'return true;',
  },
  {
    name: 'what found no room in the outbox waits for the next poll',
    file: 'src/sync/sync_job_pull.cc',
    from: 'if (was_full_ && has_room && state_->pending > fold->grouped()) loop_.WantPush();',
    to: '',
  },
  {
    name: 'an image of another schema is given up',
    file: 'src/log/image.cc',
    from: '    return LoadOther(schema, header.value(), std::move(image), sink, left_out);',
    to: '    return Corrupt("another schema");',
  },
  {
    name: 'what a newer version wrote is pushed without what is not understood',
    file: 'src/sync/grouping.cc',
    from: 'const bool is_newer = left_out ? of_newer_ :',
    to: 'const bool is_newer = left_out ? of_newer_ && false :',
  },
  {
    name: 'a refused update of a former schema is set aside',
    file: 'src/sync/push.cc',
    from: 'if (!is_former) SetCulprits',
    to: 'if (!is_former || true) SetCulprits',
  },
  {
    name: 'what had no place in a former schema is not taken anew',
    file: 'src/sync/sync_job_pull.cc',
    from: '  if (LacksRows(state_->schema, read[1])) return reply;\n',
    to: '',
  },
  {
    name: 'what one window drops is dropped for the others',
    file: 'src/sync/sync_worker.cc',
    from: '  if (LacksScope()) WantScopes({}, {}, turn);\n',
    to: '',
  },
  {
    name: 'scopes are pulled for ever',
    file: 'src/sync/scopes.cc',
    from: 'const bool stale = !add.items().empty() && IsStale(scope, today);',
    to: 'const bool stale = false && IsStale(scope, today);',
  },
  {
    name: 'a scope of a dropped table stays',
    file: 'src/sync/scopes.cc',
    from: '(unwanted || !Understands(schema, scope))',
    to: 'unwanted',
  },
  {
    name: 'an image of a newer format is given up',
    file: 'src/client/tab_load.cc',
    from: '  if (part_newer_) return StopAtNewer(effects);\n',
    to: '',
  },
  {
    name: 'a mutation that no request can hold reaches the JSON of an update',
    file: 'src/sync/grouping.cc',
    from: 'if (Status sendable = CheckSendable(mutation.value(), realms); !sendable.ok())',
    to: 'if (Status sendable = CheckSendable(mutation.value(), realms); mutation.value().ops.empty())',
  },
  {
    name: 'a window that ends says nothing of what it stores',
    file: 'src/client/tab_commit.cc',
    from: '  effects->Push(BroadcastEffect(Fields{{"type", "left"}}));\n',
    to: '',
  },
  {
    name: 'nobody looks for what was left behind',
    file: 'src/sync/sync_worker.cc',
    from: '  if (looks_ && !looked) turn->Timer("look", state_->times.idle_ms);\n',
    to: '',
  },
  {
    name: 'what another has seen confirmed is no progress',
    file: 'src/sync/push.cc',
    from: '      progress_ = true;\n      continue;\n',
    to: '      continue;\n',
  },
];
