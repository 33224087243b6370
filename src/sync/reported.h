// Reported: what the status says of the work, here or in the worker that does it and has reported it.
#ifndef SKERRY_SYNC_REPORTED_H_
#define SKERRY_SYNC_REPORTED_H_

#include <optional>
#include <utility>

#include "sync/message.h"
#include "sync/sync_error.h"

namespace skerry {

class Reported {
 public:
  double pending() const { return pending_; }  // mutations
  double conflicts() const { return conflicts_; }
  void SetPending(double pending) { pending_ = pending; }
  void SetCounts(double pending, double conflicts) {
    pending_ = pending;
    conflicts_ = conflicts;
  }

  // Of the last round, here or as another worker reported it.
  const SyncError& error() const { return error_; }
  void SetError(SyncError error) { error_ = std::move(error); }
  // Of this worker's own transactions, until one succeeds again.
  const SyncError& own_error() const { return own_error_; }
  void SetOwnError(SyncError error) { own_error_ = std::move(error); }
  const SyncError& shown_error() const { return own_error_.code.empty() ? error_ : own_error_; }
  void ForgetErrors() { error_ = own_error_ = {}; }

  const std::optional<Progress>& progress() const { return progress_; }
  void SetProgress(const std::optional<Progress>& progress) { progress_ = progress; }
  // Of a helper: the lease in the service worker's status.
  const std::optional<StatusLease>& service_lease() const { return service_lease_; }
  void SetServiceLease(const std::optional<StatusLease>& lease) { service_lease_ = lease; }
  const std::optional<double>& next_try_at() const { return next_try_at_; }
  void SetNextTry(const std::optional<double>& at) { next_try_at_ = at; }
  // A first round has ended, here or, as its messages say, in another worker.
  bool first_round_ended() const { return first_round_ended_; }
  void EndRound() { first_round_ended_ = true; }

 private:
  double pending_ = 0;
  double conflicts_ = 0;
  SyncError error_;
  SyncError own_error_;
  std::optional<Progress> progress_;
  std::optional<StatusLease> service_lease_;
  std::optional<double> next_try_at_;
  bool first_round_ended_ = false;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_REPORTED_H_
