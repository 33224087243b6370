#include "sync/history.h"

#include <utility>

#include "sync/answer.h"

namespace skerry {

void HistoryReader::Ask(const HistoryMessage& message, Turn* turn) {
  HistoryAnswerMessage answer{message.id, {}, {}};
  if (!state_->connection.online() || state_->connection.paused() || state_->connection.stopped()) {
    answer.error = {"network", "The server cannot be asked now.", true};
  } else if (!state_->sign_in.Ensure(TokenNeed::kStart, turn)) {
    answer.error = {"needs_auth", "There is no token yet.", true};
  } else {
    FetchRequest request;
    request.path = message.path;
    request.is_get = !message.body.has_value();
    request.body = message.body.value_or(std::string());
    request.token = state_->sign_in.token();
    request.timeout_ms = state_->setup.times.fetch_ms;
    asked_[turn->Fetch(std::move(request))] = message.id;
    return;
  }
  turn->Post(answer);
}

bool HistoryReader::Response(const ResponseEvent& event, Turn* turn) {
  const auto found = asked_.find(event.id);
  if (found == asked_.end()) return false;
  Answer read = ReadAnswer(event);
  state_->reach.Answered(read.is_of_server, turn->now);
  HistoryAnswerMessage answer{found->second, {}, {}};
  asked_.erase(found);
  if (read.kind == AnswerKind::kOk) {
    answer.page = std::move(read.json);
  } else if (read.kind == AnswerKind::kAuth) {
    answer.error = {"needs_auth", "The server does not accept the token.", true};
  } else {
    answer.error = read.error.code.empty()
                       ? SyncError{"bad_answer", "The server does not have this page.", true}
                       : read.error;
  }
  turn->Post(answer);
  return true;
}

}  // namespace skerry
