// Base: a plain BaseRows over row stores. The image job, the server's image maker and tests hold
// the confirmed state in it.
#ifndef SKERRY_LOG_BASE_H_
#define SKERRY_LOG_BASE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/map.h"
#include "base/vector.h"
#include "log/base_rows.h"
#include "model/row_store.h"

namespace skerry {

class Base final : public BaseRows {
 public:
  explicit Base(const Schema* schema);
  std::optional<Row> GetBase(std::string_view realm, const ObjectKey& key) const override;
  void PutBase(const ObjectKey& key, const Row& row) override;
  void EraseBase(std::string_view realm, const ObjectKey& key) override;
  Vector<std::pair<std::string, std::string>> BaseKeys(TableIndex table) const override;

  const Schema& schema() const { return *schema_; }
  // If a UUID is in a second realm, too, that row is in rows_in_second_realm().
  RowStore& store(TableIndex table) { return *stores_[table]; }
  const RowStore& store(TableIndex table) const { return *stores_[table]; }
  using Extras = Map<std::pair<ObjectKey, std::string>, Row>;  // by (key, realm)
  const Extras& rows_in_second_realm() const { return extras_; }
  bool empty() const;
  void Swap(Base* other);  // REQUIRES: the same schema

 private:
  const Schema* schema_;
  Vector<std::unique_ptr<RowStore>> stores_;
  Extras extras_;
};

// Adds all rows of `from` to `to`, and replaces rows of the same realm and id. REQUIRES: both have
// the same schema.
void Merge(const Base& from, BaseRows* to);

}  // namespace skerry

#endif  // SKERRY_LOG_BASE_H_
