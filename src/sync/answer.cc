#include "sync/answer.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/limits.h"

namespace skerry {
namespace {

// The body of an answer other than 200 (docs/protocol.md).
struct ServerError {
  std::optional<std::string> code;
  std::optional<std::string> detail;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("code", self.code);
    member("detail", self.detail);
  }
};

SyncError NoAnswer(const HostError& error) {
  const auto& [name, message, rest] = error;
  if (name == "timeout")
    return {"timeout", message.empty() ? "The server did not answer in time." : message, true};
  if (name == "too-large")
    return {"too_large", "The answer is larger than a client accepts.", true};
  if (name == "invalid-request") return {"invalid_request", message, false};
  return {"network", message.empty() ? "The server cannot be reached." : message, true};
}

// The default error for a status, unless the body has a better one.
SyncError ByStatus(double status) {
  const std::string number = std::to_string(Data(status).as_u64());  // whatever it is
  if (status == 429) return {"rate_limited", "The server asks for fewer requests.", true};
  if (status == 408 || status == 425)
    return {"timeout", "The server gave up waiting (" + number + ").", true};
  if (status == 413)
    return {"too_large", "The request is too large for the server or a proxy before it.", false};
  if (status >= 500) return {"server", "The server failed (" + number + ").", true};
  return {"refused", "The server refused the request (" + number + ").", false};
}

}  // namespace

Answer ReadAnswer(const ResponseEvent& event) {
  Answer answer;
  double retry_after_ms = 0;
  if (!event.status.has_value()) {
    answer.error = NoAnswer(event.error);
    answer.is_of_server = answer.error.code == "too_large";
    if (answer.is_of_server) answer.kind = AnswerKind::kUnread;
    return answer;
  }
  const double status = *event.status;
  // The pause is limited: the header may come from a proxy that is replaced by then.
  const double wait_ms = event.retry_after.value_or(0) * 1000;
  if (wait_ms > 0) retry_after_ms = std::min(wait_ms, kMaxRetryAfterMs);
  const Data& body = event.body;
  Result<Data> parsed = ParseJson(body.is_bytes() ? body.as_bytes() : body.as_string());
  const bool json = parsed.ok() && parsed.value().is_object();
  if (json) answer.json = std::move(parsed.value());
  if (status == 200) {
    answer.is_of_server = json;
    if (json) {
      answer.kind = AnswerKind::kOk;
    } else {
      answer.error = {"not_json", "The answer did not come from the sync server.", true};
    }
    return answer;
  }
  answer.error = ByStatus(status);
  answer.error.retry_after_ms = retry_after_ms;
  const ServerError sent = json ? ReadRecord<ServerError>(answer.json) : ServerError();
  if (sent.code.has_value() && !sent.code->empty()) {
    answer.is_of_server = status < 500;
    answer.error.code = *sent.code;
    if (sent.detail.has_value()) answer.error.message = *sent.detail;
  } else if (!json && status < 500 && status != 413 && !answer.error.retryable) {
    // (For a 413 the default error says enough, even if the body is a proxy's own page.)
    answer.error.code = "not_json";
    answer.error.retryable = true;
  }
  // A 401 that is not JSON comes from something between, for example a proxy that requires a login.
  // It is retried, and the token stays valid.
  if (status == 401 && json) answer.kind = AnswerKind::kAuth;
  if (status == 413) answer.kind = AnswerKind::kTooLarge;
  if (!json) return answer;
  if (status == 410) answer.kind = AnswerKind::kGone;
  if (status == 403 && answer.error.code == "client_bound") answer.kind = AnswerKind::kBound;
  if (status == 400 || status == 422) answer.kind = AnswerKind::kInvalid;
  return answer;
}

}  // namespace skerry
