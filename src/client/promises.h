// Promises: which of the three stages of this window's own mutations are not settled yet
// (docs/window.md, section 3). Each stage is settled at most once; a later stage settles the
// earlier ones with it.
#ifndef SKERRY_CLIENT_PROMISES_H_
#define SKERRY_CLIENT_PROMISES_H_

#include <string>
#include <string_view>

#include "base/data.h"
#include "base/map.h"

namespace skerry {

class Promises {
 public:
  void Track(std::string_view id);
  bool Has(std::string_view id) const { return open_.find(id) != open_.end(); }
  void Durable(std::string_view id, Data* effects);
  // The server's answer; `code` empty: accepted.
  void Pushed(std::string_view id, std::string_view code, std::string_view detail, Data* effects);
  void Confirmed(std::string_view id, Data* effects);
  void Refused(std::string_view id, std::string_view code, std::string_view detail, Data* effects);
  // It never became durable: every stage fails with this code.
  void Withdrawn(std::string_view id, std::string_view code, std::string_view detail,
                 Data* effects);

 private:
  struct Stages {
    bool durable = false;
    bool pushed = false;
  };
  Map<std::string, Stages> open_;  // until `confirmed` is settled
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_PROMISES_H_
