#include "client/streams.h"

#include <algorithm>
#include <utility>

#include "log/stream_name.h"

namespace skerry {
namespace {

PendingAction ActionOf(const Pending& pending) {
  const Action& action = pending.mutation.action;
  return {action.id, action.name, Data::Json(action.arg), action.at};
}

bool AppendsTo(const Pending& pending, const Streams::Stream& stream) {
  return std::any_of(pending.mutation.ops.begin(), pending.mutation.ops.end(), [&](const Op& op) {
    return op.Has(kOnStream) && op.realm == stream.realm && op.stream == stream.name &&
           pending.IsLive(op);
  });
}

}  // namespace

const Streams::Stream* Streams::Find(uint32_t handle) const {
  const auto found = streams_.find(handle);
  return found == streams_.end() ? nullptr : &found->second;
}

Streams::Stream* Streams::NextToLoad() {
  for (auto& [handle, stream] : streams_) {
    const auto waits = [handle = handle](const Waiting& one) { return one.handle == handle; };
    if (!stream.is_loaded && std::none_of(waiting_.begin(), waiting_.end(), waits)) {
      stream.is_stale = false;
      return &stream;
    }
  }
  return nullptr;
}

void Streams::Loaded(uint32_t handle, StoredStream stored, uint64_t n) {
  const auto found = streams_.find(handle);
  if (found == streams_.end()) return;
  Stream& stream = found->second;
  if (stream.is_stale) {
    stream.read_upto = 0;  // it is read once more
  } else if (stored.n > n) {
    waiting_.push_back({handle, std::move(stored)});
  } else {
    Install(&stream, std::move(stored));
  }
}

// A first page, or one that follows. Actions that records brought meanwhile are there already.
void Streams::Install(Stream* stream, StoredStream stored) {
  const bool is_first = stream->read_upto == 0;
  if (is_first) {
    stream->is_cut_off = remote_ && IsCutOff(*stream, stored);
    stream->is_reset = true;
    stream->handed_upto = stored.state.has_value() ? stored.state->revision : 0;
    stream->state = std::move(stored.state);
    stream->confirmed.erase(stream->confirmed.begin(),
                            stream->confirmed.lower_bound({stream->handed_upto + 1, 0}));
  }
  stream->loaded_n = stored.n;
  stream->is_loaded = !stored.has_more;
  // Never 0, so that the next page is not taken for the first.
  stream->read_upto = std::max<uint64_t>(stream->handed_upto, 1);
  for (StreamAction& action : stored.actions) {
    stream->read_upto = std::max(stream->read_upto, action.place.first);
    if (stream->reducer.has_value() && action.place.first <= stream->handed_upto) continue;
    stream->confirmed.try_emplace(action.place, std::move(action));
  }
  stream->has_news = true;
}

void Streams::Reached(uint64_t n) {
  n_ = n;
  Vector<Waiting> waiting = std::move(waiting_);
  waiting_.clear();
  for (Waiting& one : waiting) {
    const auto found = streams_.find(one.handle);
    if (found == streams_.end() || found->second.is_stale) continue;
    if (one.stored.n > n) {
      waiting_.push_back(std::move(one));
    } else {
      Install(&found->second, std::move(one.stored));
    }
  }
  for (auto& [handle, stream] : streams_) {
    if (FilledOf(stream) == 0) stream.is_cut_off = false;
    const bool is_moved =
        stream.reported_filled != FilledOf(stream) || stream.reported_complete != IsWhole(stream);
    if (stream.is_loaded && is_moved) stream.has_news = true;
  }
}

void Streams::LoadAgain() {
  for (auto& [handle, stream] : streams_) ReadAgain(&stream);
  waiting_.clear();
}

void Streams::ReadAgain(Stream* stream) {
  stream->is_loaded = false;
  stream->is_stale = true;
  stream->read_upto = 0;
  stream->confirmed.clear();
}

// A snapshot is stored in place of actions. Whoever has handed over all of them already goes on.
void Streams::Replaced(const Step& step, uint64_t n) {
  for (auto& [handle, stream] : streams_) {
    if (stream.realm != step.realm || stream.name != step.stream) continue;
    const bool has_all = stream.reducer.has_value() && stream.handed_upto >= step.revision;
    const bool was_read = stream.is_loaded && n <= stream.loaded_n;
    if (!was_read && (!has_all || !stream.is_loaded)) ReadAgain(&stream);
  }
  erase_if(waiting_, [&](const Waiting& one) {
    const auto found = streams_.find(one.handle);
    return found == streams_.end() || found->second.is_stale;
  });
}

void Streams::DropRealm(const std::string& realm, uint64_t n) {
  for (auto& [handle, stream] : streams_) {
    if (stream.realm != realm) continue;
    if (!stream.is_loaded || !remote_) {
      // What is being read may be out of date. Without a remote the actions are still in storage,
      // which has the only copy.
      stream.is_loaded = false;
      stream.is_stale = true;
      stream.read_upto = 0;
    } else if (n <= stream.loaded_n) {
      continue;
    }
    stream.confirmed.clear();
    stream.state.reset();
    stream.handed_upto = 0;
    stream.is_reset = true;
    stream.has_news = true;
  }
}

void Streams::Apply(const Vector<Step>& steps, uint64_t n) {
  for (const Step& step : steps) {
    if (step.kind == StepKind::kDropRealm) DropRealm(step.realm, n);
    if (step.kind == StepKind::kSnapshot) Replaced(step, n);
    if (step.kind != StepKind::kActions) continue;
    for (auto& [handle, stream] : streams_) {
      if (stream.realm != step.realm || stream.name != step.stream) continue;
      // A stream that is to be read begins again: what it has handed over may be of another history.
      const bool goes_on = stream.reducer.has_value() && stream.read_upto > 0;
      for (const StreamAction& action : step.actions) {
        if (goes_on && action.place.first <= stream.handed_upto) continue;
        stream.confirmed.try_emplace(action.place, action);
      }
      stream.has_news = true;
    }
  }
}

template <typename Visit>
void Streams::ForEach(const Pending& pending, Visit visit) {
  if (streams_.empty()) return;
  for (const Op& op : pending.mutation.ops) {
    if (!op.Has(kOnStream)) continue;
    for (auto& [handle, stream] : streams_) {
      if (op.realm != stream.realm || op.stream != stream.name) continue;
      visit(&stream);
      stream.has_news = true;
    }
  }
}

void Streams::Added(const Pending& pending) {
  // The order of pending mutations is that of their keys; those without one come last.
  const bool is_last =
      pending.key == 0 || (pending_->unkeyed_count() == 0 && pending_->HighestKey() == pending.key);
  ForEach(pending, [&](Stream* stream) {
    if (is_last) {
      stream->added.push_back(pending.mutation.action.id);
    } else {
      stream->is_reordered = true;
    }
  });
}

void Streams::Removed(const Pending& pending) {
  ForEach(pending, [&](Stream* stream) { stream->removed.push_back(pending.mutation.action.id); });
}

void Streams::Reordered(const Pending& pending) {
  ForEach(pending, [](Stream* stream) { stream->is_reordered = true; });
}

template <typename Visit>
void Streams::ForEachWanted(const Stream& stream, Visit visit) const {
  for (const SyncStream& wanted : wanted_) {
    if (wanted.stream == stream.name) return visit(wanted);
  }
  for (const SyncStream& wanted : wanted_) {
    if (MatchesStream(wanted.stream, stream.name)) visit(wanted);
  }
}

uint64_t Streams::FilledOf(const Stream& stream) const {
  if (!remote_) return kMaxCount;
  uint64_t filled = 0;
  ForEachWanted(stream, [&](const SyncStream& wanted) {
    filled = std::max(filled, FilledIn(wanted, cursors_, stream.realm).value_or(0));
  });
  return filled;
}

bool Streams::IsWhole(const Stream& stream) const {
  if (!remote_) return true;
  bool is_whole = false;
  ForEachWanted(stream, [&](const SyncStream& wanted) {
    is_whole =
        is_whole || (cursors_.contains(stream.realm) && !wanted.behind.contains(stream.realm));
  });
  return is_whole && !stream.is_cut_off;
}

// The actions of a plain stream are handed over as they come. Those of a reduced one are so in
// order: none before all that come before it.
Vector<StreamAction> Streams::TakeConfirmed(Stream* stream) {
  Vector<StreamAction> taken;
  auto end = stream->confirmed.end();
  if (stream->reducer.has_value()) {
    const uint64_t filled = stream->is_cut_off ? 0 : FilledOf(*stream);
    const uint64_t upto = stream->is_loaded ? filled : std::min(filled, stream->read_upto);
    end = stream->confirmed.lower_bound({upto + 1, 0});
    stream->handed_upto = std::max(stream->handed_upto, remote_ ? upto : 0);
  }
  for (auto it = stream->confirmed.begin(); it != end; ++it) {
    if (!remote_) stream->handed_upto = it->first.first;
    taken.push_back(std::move(it->second));
  }
  stream->confirmed.erase(stream->confirmed.begin(), end);
  return taken;
}

// Either all of them, or those that are no longer pending, and those that are now, after all others.
PendingNews Streams::PendingOf(Stream* stream) {
  PendingNews news;
  if (stream->is_reordered) {
    news.all.emplace();
    for (const Pending* pending : pending_->InOrder()) {
      if (AppendsTo(*pending, *stream)) news.all->push_back(ActionOf(*pending));
    }
  } else {
    for (const std::string& id : stream->added) {
      const Pending* pending = pending_->Find(id);
      if (pending != nullptr && AppendsTo(*pending, *stream))
        news.added.push_back(ActionOf(*pending));
    }
  }
  news.removed = std::exchange(stream->removed, {});
  stream->is_reordered = false;
  stream->added.clear();
  return news;
}

Vector<StreamNews> Streams::Drain() {
  Vector<StreamNews> all;
  for (auto& [handle, stream] : streams_) {
    if (!std::exchange(stream.has_news, false)) continue;
    StreamNews& news = all.emplace_back();
    news.stream = handle;
    news.pending = PendingOf(&stream);
    // Until it is read, only what is pending is known.
    const bool is_read = stream.is_loaded || stream.read_upto != 0;
    news.reset = is_read && std::exchange(stream.is_reset, false);
    if (is_read && stream.state.has_value()) {
      news.state = FoldedState{stream.state->reducer, stream.state->revision,
                               Data::Json(stream.state->state)};
      stream.state.reset();
    }
    news.actions = ActionsToData(is_read ? TakeConfirmed(&stream) : Vector<StreamAction>());
    stream.reported_filled = FilledOf(stream);
    stream.reported_complete = IsWhole(stream);
    news.upto = stream.handed_upto;
    news.loaded = stream.is_loaded;
    news.gone = stream.is_cut_off && stream.has_asked_again && FilledOf(stream) > 0;
    news.whole = stream.is_loaded && stream.reported_complete;
  }
  return all;
}

}  // namespace skerry
