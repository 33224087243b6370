// The names that a prop or table had in releases before the one that has renamed it. What is stored or
// sent under one of them is found by it (docs/schema-changes.md). No other prop of the table, or table,
// has such a name.
#ifndef SKERRY_MODEL_FORMER_NAMES_H_
#define SKERRY_MODEL_FORMER_NAMES_H_

#include <string>
#include <string_view>

namespace skerry {

class FormerNames {
 public:
  void Add(std::string_view name);  // the oldest first
  bool Has(std::string_view name) const;
  // The name that it had first, and has in all releases; `present` if it has never had another.
  std::string_view First(std::string_view present) const;
  bool empty() const { return list_.empty(); }

 private:
  std::string list_;  // each name after a zero byte
};

}  // namespace skerry

#endif  // SKERRY_MODEL_FORMER_NAMES_H_
