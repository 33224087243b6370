// Committing: the state of a window's group commits, which run one at a time.
//
//  idle --mutation--> under way --done--> idle
//           under way --failed--> waiting (timer `commit`) --> idle, and under way again
//           under way --failed while the page is frozen--> idle: the resume begins it again
#ifndef SKERRY_CLIENT_COMMITTING_H_
#define SKERRY_CLIENT_COMMITTING_H_

#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace skerry {

inline constexpr size_t kMaxGroup = 1'000;  // mutations in a group
// Bytes of their bodies; the last one may exceed it.
inline constexpr size_t kMaxGroupBytes = 8u << 20;
inline constexpr int kMaxQuotaFailures = 3;  // after so many the group is withdrawn
inline constexpr double kFirstRetryMs = 100;
inline constexpr double kLastRetryMs = 30'000;

enum class CommitStep : uint8_t { kIdle, kUnderWay, kWaiting };

// Every change of step is checked against this.
bool ValidTransition(CommitStep from, CommitStep to);

class Committing {
 public:
  CommitStep step() const { return step_; }
  bool is_idle() const { return step_ == CommitStep::kIdle; }
  bool is_under_way() const { return step_ == CommitStep::kUnderWay; }
  bool is_waiting() const { return step_ == CommitStep::kWaiting; }
  // It is not known how much of the last group was stored, so the next commit reads before it
  // writes.
  bool reads_first() const { return reads_first_; }
  void ReadFirst() { reads_first_ = true; }

  void Begin() { Move(CommitStep::kUnderWay); }
  // `had_read`: the commit read before it wrote. Returns whether attempts before it had failed.
  bool Done(bool had_read);
  // `size`: the size of the group that failed; 0 if none was written. Afterwards the step is idle:
  // the caller calls Wait, or the page's return begins the next attempt.
  void Failed(size_t size);
  // To be called after Failed. Returns the pause in ms, for the timer; Waited() ends it.
  double Wait();
  void Waited() { Move(CommitStep::kIdle); }

  // Counts the failures in a row for lack of storage space. Returns whether the group must be
  // withdrawn.
  bool CountQuotaFailure(bool no_room, bool has_group);

  // A group that failed is retried with the same mutations, so that later ones do not fail with it.
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
