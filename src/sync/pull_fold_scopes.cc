// The transaction that folds a pull's answer: how far the scopes are filled then, and which rows are
// in none of them.
#include <algorithm>

#include "base/vector.h"
#include "log/codec.h"
#include "sync/pull.h"
#include "sync/scopes.h"

namespace skerry {

bool PullFold::IsRefilled(const SyncScope& scope) const {
  return answer_->refill.has_value() && HoldsScope(*answer_->refill, scope);
}

// If the answer says nothing about some tables (`refill`), own ops may have moved a row out of all
// scopes, and no page would ever remove it. A page of a scope with a sub-select does not remove a row
// either that was in it by inner rows which are gone.
void PullFold::KeepSteps() {
  const bool folds_own = std::any_of(steps_.begin(), steps_.end(), [](const Step& step) {
    return step.kind == StepKind::kOwnOps;
  });
  const bool has_joined =
      std::any_of(answer_->pages.begin(), answer_->pages.end(), [this](const PageRange& page) {
        const Result<Data> where = DecodeData(page.where);
        return where.ok() &&
               !InnerScopes(*schema_, schema_->table(page.table).name, where.value()).empty();
      });
  if (!has_joined && !(answer_->refill.has_value() && folds_own)) return;
  const Vector<SyncScope>& scopes = sync_.scopes;
  const bool understands_all =
      std::all_of(scopes.begin(), scopes.end(),
                  [&](const SyncScope& scope) { return Understands(*schema_, scope); });
  // A newer version's scopes cannot be evaluated here; that version pulls everything again
  // (`lacks`).
  unjudged_ = !understands_all || IsFromNewerVersion(*schema_, sync_);
  if (!unjudged_) steps_.push_back(KeepStep(*schema_, scopes));
}

// A scope with a sub-select is filled after the scope of that one. Returns whether any begins
// again.
bool PullFold::RefillOuter() {
  bool is_refilled = false;
  for (SyncScope& outer : sync_.scopes) {
    if (outer.filled == ScopeFill()) continue;
    if (CanEvaluate(*schema_, outer, sync_.scopes)) continue;
    outer.filled = {};
    is_refilled = true;
  }
  return is_refilled;
}

// The fill of a scope that is refilled starts again from nothing. Its present rows stay until pages
// replace them, range by range.
void PullFold::MoveScopes() {
  bool is_refilled = false;
  for (SyncScope& scope : sync_.scopes) {
    if (!Understands(*schema_, scope)) continue;  // it was not in the request
    const TableIndex table = schema_->FindTable(scope.table);
    const std::string where = EncodeData(scope.where);
    const PageRange* page = nullptr;
    for (const PageRange& candidate : answer_->pages) {
      if (candidate.table == table && candidate.where == where) page = &candidate;
    }
    const ScopeFill before = scope.filled;
    if (IsRefilled(scope)) {
      scope.filled = {};
      is_refilled = true;
    } else if (page != nullptr) {
      scope.filled = {!page->upto.has_value(), page->upto};
    } else if (answer_->images.empty() && !answer_->more && !answer_->refill.has_value() &&
               !before.upto.has_value()) {
      // The scope was small enough to come as a whole with this answer. An answer that does not
      // reach the heads fills nothing.
      scope.filled.whole = true;
    }
    if (!(scope.filled == before)) moved_ = true;
  }
  is_refilled = RefillOuter() || is_refilled;
  // The new version makes sure that an image which is being fetched does not mark these scopes as
  // filled.
  if (is_refilled) ++sync_.scope_version;
}

}  // namespace skerry
