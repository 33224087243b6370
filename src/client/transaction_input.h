// What the operations of a transaction are given (docs/window.md, section 3), read and checked as
// far as this needs no rows.
#ifndef SKERRY_CLIENT_TRANSACTION_INPUT_H_
#define SKERRY_CLIENT_TRANSACTION_INPUT_H_

#include <optional>
#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry {

// The operations of a transaction, as the window's module is called (docs/internals.md, section 7;
// js/core/window-core.ts). These numbers are of that call alone: what is logged has kinds of its
// own (OpKind, log/op.h), and one call may log other ops, or several.
enum class TxCall : uint8_t {
  kCreate = 1,
  kUpdate = 2,
  kInc = 3,
  kDelete = 4,
  kMove = 5,
  kUpsert = 7,  // 6 was never given
};
// The call of this number; none if there is none.
std::optional<TxCall> TxCallOf(int number);

struct OpInput {
  std::string id;     // empty: none given
  std::string realm;  // empty: none given
  Vector<PropValue> set;
  Vector<PropIndex> malformed;  // of `set`: json with an envelope that holds nothing
  Vector<PropAdd> add;
};

Status CheckName(std::string_view what, std::string_view name, size_t limit);

// `operation`: [id|null, realm|null, {prop: plain}].
Status ReadOperation(TxCall call, const TableDef& table, const Data& operation, OpInput* input);

// A batch of creates is [[prop..], row..], row = [id|null, realm|null, plain..]: names come once,
// and are looked up once. `props`: what FindProp gives for each of `names`.
Status ReadRow(const TableDef& table, const Data::Array& names, const Vector<PropIndex>& props,
               const Data& row, OpInput* input);

}  // namespace skerry

#endif  // SKERRY_CLIENT_TRANSACTION_INPUT_H_
