// Transaction: the synchronous write transaction of a window (docs/design.md, "A local mutation").
// Each operation is checked as a whole before anything changes. It then becomes ops after all
// pending ones, and is visible at once. Rollback removes them again. Commit returns one Pending
// with one action, whose ops are reduced to their final result.
//
// There is one transaction at a time. docs/window.md, section 3, says which operations are refused.
#ifndef SKERRY_CLIENT_TRANSACTION_H_
#define SKERRY_CLIENT_TRANSACTION_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/status.h"
#include "base/vector.h"
#include "client/changed_rows.h"
#include "client/member_rights.h"
#include "client/pending.h"
#include "client/transaction_input.h"
#include "client/undo_stack.h"
#include "client/view.h"

namespace skerry {

inline constexpr size_t kMaxKeptNamed = 100;

struct KeptProp {
  std::string table;
  std::string id;
  std::string prop;

  template <typename Self, typename Visitor>
  static void Each(Self& self, Visitor& member) {
    member("table", self.table);
    member("id", self.id);
    member("prop", self.prop);
  }
};

struct OpOutcome {
  bool changed = false;
  std::string id;  // of the created or upserted row
};

Status TooDeep(const char* what, size_t most);
Status TooLargeForStream();
// The name and the argument of an action.
Status CheckAction(std::string_view name, std::string_view arg);
// Whether a stream takes it.
Status CheckItem(const StreamItem& item);

class Transaction {
 public:
  struct Options {
    std::string default_realm;  // of creates that name no realm and have no parent
    std::optional<std::string> user;
    // Actions go to a server, with their arguments; without a remote, arguments are never read.
    bool pushed = false;
  };
  // The pointers outlive it.
  Transaction(View* view, UuidGenerator* ids, Options options);

  bool open() const { return pending_ != nullptr; }
  const Mutation& mutation() const { return pending_->mutation; }  // REQUIRES: open()
  const std::string& default_realm() const { return options_.default_realm; }
  // `at`: the estimated time of the server's clock. `serial`: above those of all pending mutations.
  // kInvalidArgument if a transaction is open.
  Status Begin(double at, uint64_t serial);
  // `operation`: [id|null, realm|null, {prop: plain}].
  Result<OpOutcome> Apply(TxCall call, TableIndex table, const Data& operation);
  // The action was made elsewhere, or before, under this id (UUID). The ids of new objects follow from
  // it, so that they are the same wherever the action is run again. REQUIRES: no op yet.
  Status Again(std::string_view id);
  // Appends the transaction's action to a stream: [name, realm|null].
  Result<OpOutcome> AppendTo(const Data& operation);
  // Undoes an action of this window. `kept`: the props that somebody has changed since, and that stay;
  // the first kMaxKeptNamed of them. REQUIRES: no op yet.
  Status Undo(const UndoStep& step, UndoWay way, Vector<KeptProp>* kept);
  // Creates all rows of `batch` (transaction_input.h), and appends the ids that it made, 36 bytes
  // each, to `made`. Stops at the first row that is refused; the rows before it stay created.
  Status CreateMany(TableIndex table, const Data& batch, std::string* made);
  // Returns null if the transaction changes nothing in the end (it is then rolled back). The
  // mutation stays attached to the view; the caller owns it. `arg`: JSON text; or null: the ops
  // serve as the argument. An undo of an action of a stream has its own name and argument. If it is
  // refused, the transaction stays open.
  Result<std::unique_ptr<Pending>> Commit(std::string_view name, const Data& arg);
  // The ops that undo what Commit returned last, if it can be undone (client/inverse.h). Call before the
  // view changes again.
  std::optional<Vector<Op>> Inverse(const Mutation& committed) const;
  void Rollback();

 private:
  Result<OpOutcome> Create(const TableDef& table, OpInput input);
  // transaction_answer.cc
  bool IsAnswer(TableIndex table, const OpInput& input, const std::optional<Row>& row) const;
  Result<OpOutcome> Answer(TxCall call, OpInput input);
  std::string NewId();
  std::string RealmOfNew(const TableDef& table, const Vector<Value>& props) const;
  Result<OpOutcome> Upsert(const TableDef& table, OpInput input, const std::optional<Row>& row);
  Result<OpOutcome> Update(const TableDef& table, const OpInput& input, const Row& row);
  Result<OpOutcome> Inc(const TableDef& table, const OpInput& input, const Row& row);
  Result<OpOutcome> Delete(const TableDef& table, const OpInput& input, const Row& row);
  Result<OpOutcome> Move(const TableDef& table, const OpInput& input, const Row& row);
  Status CheckRoom(size_t more) const;
  Status Append(Op op);
  void Add(Op op);  // one that the user's rights allow
  Status CheckRestricts();
  void Reduce();
  Status CheckSpread() const;
  Status CheckAppends() const;
  Status CheckBytes(bool argument_is_ops) const;

  View* view_;
  const Schema* schema_;
  UuidGenerator* ids_;
  const Options options_;
  MemberRights rights_;
  uint64_t made_ = 0;     // ids of new objects, of an action that is run again
  bool undoes_ = false;   // its argument says what
  bool repeats_ = false;  // more than one op names the same object
  std::unique_ptr<Pending> pending_;
  ChangedRows changed_;
};

}  // namespace skerry

#endif  // SKERRY_CLIENT_TRANSACTION_H_
