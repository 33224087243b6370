// SignIn: the token of a sync worker, and what is known about it: whether the window was asked for
// one, and how the server has received the last ones.
#ifndef SKERRY_SYNC_SIGN_IN_H_
#define SKERRY_SYNC_SIGN_IN_H_

#include <utility>

#include "sync/message.h"
#include "sync/turn.h"

namespace skerry {

class SignIn {
 public:
  // `uses_tokens`: the application gives tokens. `answer_ms`: for so long it may think.
  SignIn(bool uses_tokens, double answer_ms) : uses_tokens_(uses_tokens), answer_ms_(answer_ms) {}

  bool uses_tokens() const { return uses_tokens_; }
  const Token& token() const { return token_; }
  bool has_token() const { return !uses_tokens_ || token_.has_value(); }
  void Give(const Token& token) { token_ = token; }
  void Drop() { token_.reset(); }

  // Whether a request can be made now. If not, asks the window for a token, once.
  bool Ensure(TokenNeed why, Turn* turn) {
    if (has_token()) return true;
    if (!asked_) {
      asked_ = true;
      turn->NeedToken(why);
      turn->Timer(WorkerTimer::kToken, answer_ms_);
    }
    return false;
  }
  // The window was asked for a token and has not answered yet.
  bool asked() const { return asked_; }
  // It has answered, or was given up. Returns whether it was asked.
  bool TakeAsked() { return std::exchange(asked_, false); }

  // Nothing is requested until there is a token that may be accepted.
  bool is_needed() const { return needed_; }
  // For the status: true until the server has accepted a token.
  bool is_shown_as_needed() const { return needed_ || shown_; }
  void Need() { needed_ = shown_ = true; }
  void SetNeeded(bool needed) { needed_ = needed; }
  void Forget() { needed_ = shown_ = false; }
  // The application has none. So earlier refusals do not count.
  void NeedFirst() {
    Need();
    refusals_ = 0;
  }

  // Answers 401 in a row.
  int refusals() const { return refusals_; }
  int CountRefusal() { return ++refusals_; }
  // The server refused the stored token before this worker was started, as often as counts.
  void RefusedBefore() { refusals_ = 2; }
  // The last token that the server refused; none once it has accepted one.
  const Token& refused_token() const { return refused_token_; }
  void NoteRefused(const Token& refused) { refused_token_ = refused; }
  // The server refused this token, so it is not used again. Returns whether the application has
  // provided another one since it was sent.
  bool Refused(const Token& refused) {
    if (token_ == refused) token_.reset();
    return token_.has_value();
  }
  // The server has accepted the token, or there is a new token, about which nothing is known.
  void ForgetRefusals() {
    refused_token_.reset();
    refusals_ = 0;
    shown_ = false;
  }

 private:
  bool uses_tokens_;
  double answer_ms_;
  Token token_;
  bool asked_ = false;
  bool needed_ = false;
  bool shown_ = false;
  Token refused_token_;
  int refusals_ = 0;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_SIGN_IN_H_
