// PullStreams: the part of a pull for the actions of streams. A stream has a position of its own in
// each realm: all actions above it and up to the answer's cursor are sent, in ascending order, as far
// as there is room.
//
// In: the ranges, and actions as they are read. Out: the answer's streams, and how far each is filled.
#ifndef SKERRY_AUTHORITY_PULL_STREAMS_H_
#define SKERRY_AUTHORITY_PULL_STREAMS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "authority/pull_ranges.h"

namespace skerry {

class PullStreams {
 public:
  PullStreams(PullIo* io, const PullRanges* ranges) : io_(io), ranges_(ranges) {}

  // `place`: index into needs().streams. What is not loaded had no room in this answer.
  void LoadActions(size_t place, wire::LoadedStream actions);
  bool AskForStreams();
  void WriteStreams();

 private:
  // None: the client has nothing of the scope in this realm.
  std::optional<uint64_t> FilledOf(const StreamScope& scope, const std::string& realm) const;
  static bool HasActions(const PullRange& realm, const std::string& pattern, uint64_t filled);
  Set<std::pair<std::string, uint64_t>> OwnEntries() const;
  bool AddFilled(const PullNeeds::Streams& asked, const wire::LoadedStream& read);

  PullIo* io_;
  const PullRanges* ranges_;
  Vector<PullNeeds::Streams> asked_;
  Vector<std::optional<wire::LoadedStream>> actions_;
  bool has_more_ = false;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_PULL_STREAMS_H_
