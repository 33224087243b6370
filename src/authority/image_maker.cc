#include "authority/image_maker.h"

#include "authority/row_data.h"
#include "base/json.h"
#include "base/vector.h"
#include "log/image.h"

namespace skerry {

Status ImageMaker::AddRow(const ObjectKey& key, const Row& row) {
  if (!bytes_.empty()) return {Code::kClosed, "this image is finished"};
  if (row.realm != realm_) return {Code::kClosed, "a row of another realm"};
  const Vector<PropDef>& props = base_.schema().table(key.table).props;
  Row whole = row;
  SetDefaults(base_.schema().table(key.table), &whole);
  for (size_t i = 0; i < props.size(); ++i) {
    // A prop that became required after the row was written may be null. Every other value must fit
    // its prop, or the packed row could not hold it.
    if (whole.props[i].is_null()) continue;
    SKERRY_RETURN_IF_ERROR(CheckValue(base_.schema().table(key.table), props[i], whole.props[i]));
  }
  base_.PutBase(key, whole);
  return Status::Ok();
}

const std::string& ImageMaker::Finish() {
  if (bytes_.empty()) bytes_ = EncodeImage(base_, 0, {{realm_, CursorText(at_)}});
  return bytes_;
}

std::string ImageMaker::Rows(std::string_view text) {
  Result<Data> in = ParseJson(text);
  if (!in.ok()) return WriteJson(ErrorToData(in.status()));
  for (const Data& data : in.value()["rows"].items()) {
    Result<StoredRow> stored = StoredRowFromData(base_.schema(), data);
    if (!stored.ok()) return WriteJson(ErrorToData({Code::kClosed, stored.status().detail()}));
    if (stored.value().deleted_at) continue;
    const Status added = AddRow(stored.value().key, stored.value().row);
    if (!added.ok()) return WriteJson(ErrorToData(added));
  }
  return "{}";
}

std::string ImageMaker::FinishJson() {
  const std::string& bytes = Finish();
  Data data = Data::MakeObject();
  data.Set("bytes", static_cast<uint64_t>(bytes.size())).Set("hash", ImageChecksum(bytes));
  return WriteJson(data);
}

}  // namespace skerry
