// Inbox: the conflict inbox as a window shows it. Each entry names the objects that its mutation
// changes, with three sides each: what the mutation changed from (`base`), what it wanted (`mine`),
// and what the log has (`theirs`).
//
// `theirs` is never stored. It is the base row of this window, so it is read under the rights of the
// moment, changes with each pull, and is there offline.
#ifndef SKERRY_CLIENT_INBOX_H_
#define SKERRY_CLIENT_INBOX_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/data.h"
#include "base/vector.h"
#include "log/conflict_record.h"
#include "log/key.h"
#include "model/row.h"
#include "model/schema.h"

namespace skerry {

class View;

// One object of an entry. The sides are {prop: value}; null: there is no such object, or, of `base`,
// that is not known. `base` may have only the props that the mutation changes.
struct ShownChange {
  std::string table;
  std::string id;
  std::string realm;
  Data base;
  Data mine;
  Data theirs;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("table", self.table);
    member("id", self.id);
    member("realm", self.realm);
    member("base", self.base);
    member("mine", self.mine);
    member("theirs", self.theirs);
  }
};

// The action of an entry, as the user made it.
struct ShownAction {
  std::string id;
  std::string name;
  std::string arg;  // JSON text; "" if it cannot be read
  double at = 0;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("id", self.id);
    member("name", self.name);
    member("arg", self.arg);
    member("at", self.at);
  }
};

struct ShownConflict {
  uint64_t key = 0;
  std::optional<std::string> table;  // of the object that it is about; null if it is not known
  std::optional<std::string> id;
  std::string reason;
  std::string code;
  std::string detail;
  double at = 0;
  ShownAction mutation;
  // The first kMaxInboxChanges objects of the mutation, the one that the entry is about first.
  Vector<ShownChange> changes;
  uint64_t others = 0;  // objects that are not among them
  std::optional<std::string> depends_on;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("key", self.key);
    member("table", self.table);
    member("id", self.id);
    member("reason", self.reason);
    member("code", self.code);
    member("detail", self.detail);
    member("at", self.at);
    member("mutation", self.mutation);
    member("changes", self.changes);
    member("others", self.others);
    member("dependsOn", self.depends_on);
  }
};

class Inbox {
 public:
  Inbox(const Schema* schema, const View* view) : schema_(schema), view_(view) {}

  size_t size() const { return entries_.size(); }
  // The rows of the store `conflicts`. Returns whether what is shown has changed.
  bool Take(const Data& rows);
  // Reads `theirs` anew, if the window has applied a record since (`n`). Returns the same.
  bool Refresh(uint64_t n);
  const Vector<ShownConflict>& entries() const { return entries_; }

 private:
  ShownConflict EntryOf(uint64_t key, const ConflictRecord& record) const;
  void AddChanges(const ConflictRecord& record, ShownConflict* entry) const;
  Data TheirsOf(const ShownChange& change) const;

  const Schema* schema_;
  const View* view_;
  Data rows_ = Data::MakeArray();
  uint64_t n_ = 0;
  Vector<ShownConflict> entries_;
};

// An entry with any other key was not made by this program, and the application could not name it.
bool IsInboxKey(const Key& key);

}  // namespace skerry

#endif  // SKERRY_CLIENT_INBOX_H_
