// What the operations of a transaction are given (docs/window.md, section 3), read and checked as
// far as this needs no rows.
#ifndef SKERRY_CLIENT_TRANSACTION_INPUT_H_
#define SKERRY_CLIENT_TRANSACTION_INPUT_H_

#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "base/string.h"
#include "base/vector.h"
#include "log/op.h"
#include "model/schema.h"

namespace skerry {

struct OpInput {
  String id;     // empty: none given
  String realm;  // empty: none given
  Vector<PropValue> set;
  Vector<PropIndex> malformed;  // of `set`: json with an envelope that holds nothing
  Vector<PropAdd> add;
};

Status CheckName(std::string_view what, std::string_view name, size_t limit);

// `operation`: [id|null, realm|null, {prop: plain}].
Status ReadOperation(int kind, const TableDef& table, const Data& operation, OpInput* input);

// A batch of creates is [[prop..], row..], row = [id|null, realm|null, plain..]: names come once,
// and are looked up once. `props`: what FindProp gives for each of `names`.
Status ReadRow(const TableDef& table, const Data::Array& names, const Vector<PropIndex>& props,
               const Data& row, OpInput* input);

}  // namespace skerry

#endif  // SKERRY_CLIENT_TRANSACTION_INPUT_H_
