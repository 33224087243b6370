#include "authority/pull.h"

#include <utility>

#include "authority/former_schema.h"

namespace skerry {

void Pull::Begin(PullInput request, const Map<std::string, PullRealm>& realms) {
  io_.request = std::move(request);
  io_.answer.time = io_.request.now;
  io_.names = NamedAs(io_.request.version, *io_.schema);
  if (io_.names) io_.request.accepts_images = false;  // they have the present names
  joins_.Begin();
  ranges_.Begin(realms);
  rows_.Begin();
}

// Returns whether more must be read, or no answer can be given.
bool Pull::RunLog() {
  Vector<std::string> reset;
  const bool asks = ranges_.FindOtherHistories(&reset);
  for (const std::string& realm : reset) rows_.ForgetChanges(realm);
  if (asks || ranges_.NeedsFullResync()) return true;
  ranges_.ChooseEnds();
  ranges_.CutSpanning();
  ranges_.CollectOwn();
  ranges_.CollectOmitted(joins_.list());
  if (is_too_large()) return true;
  phase_ = Phase::kRows;
  const bool asks_for_streams = streams_.AskForStreams();
  return rows_.AskForRows(joins_.InnerTables()) || asks_for_streams;
}

void Pull::Run() {
  io_.needs = {};
  if (phase_ == Phase::kLog && RunLog()) return;
  if (phase_ == Phase::kRows) {
    phase_ = Phase::kCandidates;
    if (joins_.AskForCandidates()) return;
  }
  if (phase_ == Phase::kCandidates) {
    ranges_.CollectOmitted(joins_.list());
    if (is_too_large()) return;
    phase_ = Phase::kSelected;
    if (joins_.AskForSelected()) return;
  }
  rows_.ChoosePages();
  for (const auto& [name, range] : ranges_.all()) {
    if (range.mode == RealmMode::kImage) continue;
    const PullJoins::InnerRows at_start(joins_, name, /*is_end=*/false);
    const PullJoins::InnerRows at_end(joins_, name, /*is_end=*/true);
    rows_.DiffRealm(name, at_start, at_end);
  }
  rows_.JoinMoves();
  rows_.NameLeaves();
  ranges_.WriteLost();
  rows_.WriteChanges();
  ranges_.WriteCursors();
  streams_.WriteStreams();
}

}  // namespace skerry
