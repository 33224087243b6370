#include "sync/image_compactor.h"

#include <utility>

#include "base/vector.h"
#include "log/codec.h"
#include "log/image.h"
#include "log/record.h"

namespace skerry {
namespace {

class IgnoreTouched final : public TouchedSink {
 public:
  void Touched(std::string_view, const ObjectKey&) override {}
};

}  // namespace

Status ImageCompactor::AddPart(std::string_view image) {
  return LoadImage(image, &base_, &left_out_);
}

Status ImageCompactor::AddRecord(std::string_view body) {
  Result<Vector<Step>> steps = DecodeSteps(*schema_, body, &left_out_);
  if (!steps.ok()) return steps.status();
  IgnoreTouched ignored;
  return ApplySteps(*schema_, steps.value(), &base_, &ignored);
}

void ImageCompactor::DropRealm(std::string_view realm) {
  for (const TableDef& table : schema_->tables()) {
    for (const auto& [id, of] : base_.BaseKeys(table.index)) {
      if (of == realm) base_.EraseBase(realm, {table.index, id});
    }
  }
}

std::string ImageCompactor::Finish(uint64_t n, const Data& cursors) const {
  Vector<std::pair<std::string, std::string>> list;
  for (const auto& [realm, cursor] : cursors.members())
    list.emplace_back(realm, cursor.as_string());
  return EncodeImage(base_, n, list);
}

}  // namespace skerry
