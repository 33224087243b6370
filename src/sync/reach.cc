#include "sync/reach.h"

#include <utility>

namespace skerry {
namespace {

// A time that is less later than the one before is not worth a message to every window.
constexpr double kHeardStepMs = 1000;

}  // namespace

void Reach::Conclude(Evidence evidence) {
  has_news_ = has_news_ || evidence != evidence_;
  evidence_ = evidence;
}

void Reach::Heard(double now) {
  const bool is_later = !heard_at_.has_value() || now >= *heard_at_ + kHeardStepMs ||
                        now < *heard_at_;  // the clock was set back
  if (is_later || evidence_ != Evidence::kReached) {
    heard_at_ = now;
    has_news_ = true;
  }
  Conclude(Evidence::kReached);
}

void Reach::Failed() { Conclude(Evidence::kLost); }

void Reach::SetSocket(bool holds, const SocketReach& socket) {
  // A worker that gives the lease up closes its socket, and says so once.
  if (!holds && !holds_socket_) return;
  holds_socket_ = holds;
  const SocketReach now = holds ? socket : SocketReach();
  if (socket_ == now) return;
  socket_ = now;
  has_news_ = has_socket_news_ = true;
}

void Reach::Take(const ReachMessage& message) {
  if (message.socket.has_value()) {
    const SocketReach other{*message.socket, message.retry_at};
    // A worker that was frozen says late that its socket is closed.
    if (holds_socket_) {
      has_news_ = has_news_ || !(other == socket_);
    } else {
      socket_ = other;
    }
  }
  evidence_ = message.reached ? Evidence::kReached : Evidence::kLost;
  if (message.heard_at.has_value()) heard_at_ = message.heard_at;
}

void Reach::Take(const StatusRecord& status) {
  if (!status.last_heard_at.has_value()) return;
  if (heard_at_.has_value() && *status.last_heard_at <= *heard_at_) return;
  heard_at_ = status.last_heard_at;
  if (status.connected) evidence_ = Evidence::kReached;
}

std::optional<ReachMessage> Reach::TakeNews() {
  if (!std::exchange(has_news_, false)) return std::nullopt;
  ReachMessage news;
  news.reached = evidence_ == Evidence::kReached;
  news.heard_at = heard_at_;
  if (holds_socket_ || std::exchange(has_socket_news_, false)) {
    news.socket = socket_.open;
    news.retry_at = socket_.retry_at;
  }
  has_socket_news_ = false;
  return news;
}

bool Reach::IsConnected(double now, double proof_ms) const {
  if (socket_.open) return true;
  return evidence_ == Evidence::kReached && heard_at_.has_value() && now - *heard_at_ < proof_ms;
}

}  // namespace skerry
