#include "log/convert.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/vector.h"

namespace skerry {
namespace {

class TableConverter {
 public:
  TableConverter(const TableDef& from, const TableDef& to, bool* left_out)
      : to_(to), left_out_(left_out) {
    for (const PropDef& prop : to.props) sources_.push_back(from.FindProp(prop.name));
    for (PropIndex i = 0; i < from.props.size(); ++i) {
      // Either release may know the other's name.
      const PropIndex target = to.FindProp(from.props[i].name);
      if (target != kNone && sources_[target] == kNone) sources_[target] = i;
      if (std::find(sources_.begin(), sources_.end(), i) == sources_.end()) dropped_.push_back(i);
    }
  }

  Row Convert(Row row) const {
    Vector<Value> props;
    props.reserve(sources_.size());
    for (size_t i = 0; i < sources_.size(); ++i) {
      const bool named = sources_[i] != kNone;
      Value value = named ? std::move(row.props[sources_[i]]) : Value::Null();
      props.push_back(ConvertValue(to_, to_.props[i], std::move(value), left_out_));
    }
    for (const PropIndex prop : dropped_) *left_out_ = *left_out_ || !row.props[prop].is_null();
    row.props = std::move(props);
    return row;
  }

 private:
  const TableDef& to_;
  bool* left_out_;
  Vector<PropIndex> sources_;  // by prop of `to`: the prop of `from`, or kNone
  Vector<PropIndex> dropped_;
};

}  // namespace

void Convert(const Base& from, Base* to, bool* left_out) {
  for (const TableDef& table : from.schema().tables()) {
    TableIndex index = to->schema().FindTable(table.name);
    for (const TableDef& other : to->schema().tables()) {
      const bool is_it = from.schema().FindTable(other.name) == table.index;
      if (index == kNone && is_it) index = other.index;
    }
    const Vector<std::pair<std::string, std::string>> keys = from.BaseKeys(table.index);
    if (index == kNone) {
      *left_out = *left_out || !keys.empty();
      continue;
    }
    const TableDef& target = to->schema().table(index);
    const TableConverter converter(table, target, left_out);
    for (const auto& [id, realm] : keys) {
      if (CheckId(target, id).ok()) {
        to->PutBase({index, id}, converter.Convert(*from.GetBase(realm, {table.index, id})));
      } else {
        *left_out = true;
      }
    }
  }
}

}  // namespace skerry
