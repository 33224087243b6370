// PullJoins: the part of a pull for scopes with sub-selects. Which rows are in such a scope depends on
// inner rows, so these are needed as they were at both ends of a range.
//
// In: the ranges and their rows, and candidates and selected values as they are read. Out: the
// objects that inner rows may have put into a scope or out of it, and the inner rows at both ends.
#ifndef SKERRY_AUTHORITY_PULL_JOINS_H_
#define SKERRY_AUTHORITY_PULL_JOINS_H_

#include <string>
#include <string_view>
#include <utility>

#include "authority/pull_rows.h"
#include "model/filter.h"

namespace skerry {

class PullJoins {
 public:
  // The inner rows of a realm at the start of its range, or at its end. REQUIRES: the pull has
  // loaded needs().selected.
  class InnerRows;

  PullJoins(PullIo* io, PullRanges* ranges, PullRows* rows)
      : io_(io), ranges_(ranges), rows_(rows) {}

  void Begin();
  // The changes of sub-selects' tables were not read up to the head, because they are too many.
  void LoadUnread(const std::string& realm);
  // `place`: index into needs().candidates. `has_more`: there are too many of them.
  void LoadCandidates(size_t place, Vector<std::pair<ObjectKey, Row>> rows, bool has_more);
  // `found`: indexes of values of needs().selected.
  void LoadSelected(size_t place, const Vector<size_t>& found);

  bool AskForCandidates();
  bool AskForSelected();

  const Vector<PullJoin>& list() const { return joins_; }
  // The tables that sub-selects read.
  Set<TableIndex> InnerTables() const;
  // The tables whose changes are needed up to the head: those of sub-selects and of their scopes.
  Set<TableIndex> TablesToHead() const;

 private:
  // The values that the inner rows of a realm select. Values are compared as numbers and texts.
  using Selectable = std::pair<double, std::string>;
  struct Selection {
    Set<Selectable> unchanged;  // by rows that did not change after the range's start
    Set<Selectable> start;      // by rows that did, as they were at the range's start
    Set<Selectable> end;        // and at its end
  };
  static Selectable SelectableOf(const Value& value) { return {value.number(), value.text()}; }
  // Finds what the changed inner rows of a join select, and returns the values for which this may
  // have put outer rows into the scope, or out of it.
  Vector<Value> SelectByChanges(const PullJoin& join, const PulledRows& realm,
                                Selection* selection) const;

  PullIo* io_;
  PullRanges* ranges_;
  PullRows* rows_;
  Vector<PullJoin> joins_;
  Vector<PullNeeds::Candidates> asked_candidates_;
  Vector<PullNeeds::Selected> asked_selected_;
  Map<std::string, Vector<Selection>> selections_;  // by realm and join
};

class PullJoins::InnerRows final : public FilterContext {
 public:
  InnerRows(const PullJoins& joins, const std::string& realm, bool is_end);
  bool Exists(const Filter& filter, std::string_view id, const Row* row) const override;

 private:
  const PullJoins& joins_;
  const Vector<Selection>* selections_;  // null: there are none
  const bool is_end_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PULL_JOINS_H_
