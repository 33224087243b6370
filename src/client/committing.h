// Committing: the group commits of a window, one at a time.
//
//   idle --mutation--> under way --done--> idle
//            under way --failed--> waiting (timer `commit`) --> idle, and under way again
//            under way --failed while the page is frozen--> idle: its return begins again
#ifndef SKERRY_CLIENT_COMMITTING_H_
#define SKERRY_CLIENT_COMMITTING_H_

#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace skerry {

inline constexpr size_t kMaxGroup = 1'000;          // mutations of one group commit
inline constexpr size_t kMaxGroupBytes = 8u << 20;  // of their bodies; one larger goes alone
inline constexpr int kMaxQuotaFailures = 3;         // then the group is withdrawn
inline constexpr double kFirstRetryMs = 100;
inline constexpr double kLastRetryMs = 30'000;

enum class CommitStep : uint8_t { kIdle, kUnderWay, kWaiting };

// Which step may follow which; every change is checked against it.
bool ValidTransition(CommitStep from, CommitStep to);

class Committing {
 public:
  CommitStep step() const { return step_; }
  bool is_idle() const { return step_ == CommitStep::kIdle; }
  bool is_under_way() const { return step_ == CommitStep::kUnderWay; }
  bool is_waiting() const { return step_ == CommitStep::kWaiting; }
  // It is not known what of the last group was stored: the next commit reads before it writes.
  bool reads_first() const { return reads_first_; }
  void ReadFirst() { reads_first_ = true; }

  void Begin() { Move(CommitStep::kUnderWay); }
  // `had_read`: it has read before it wrote. Returns whether it has failed before.
  bool Done(bool had_read);
  // `size`: of the group; 0: none was written. It may be begun again at once, once something else
  // says so.
  void Failed(size_t size);
  // After Failed: the pause, for the timer. Waited() ends it.
  double Wait();
  void Waited() { Move(CommitStep::kIdle); }

  // Counts the failures in a row for want of room. Whether the group is to be withdrawn.
  bool IsFullForGood(bool no_room, bool has_group);

  // A group that failed is tried as it was: what came later is not to fail with it.
  size_t group_limit() const { return failed_size_ > 0 ? failed_size_ : kMaxGroup; }

 private:
  void Move(CommitStep to);

  CommitStep step_ = CommitStep::kIdle;
  bool reads_first_ = false;
  int failures_ = 0;  // in a row
  int quota_failures_ = 0;
  size_t failed_size_ = 0;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_COMMITTING_H_
