// ImageCompactor: compaction. It reads the parts of an old image, folds records over them, and
// encodes a new part. It runs in the module skerry-image; the caller reads, fetches and checks the
// files.
#ifndef SKERRY_SYNC_IMAGE_COMPACTOR_H_
#define SKERRY_SYNC_IMAGE_COMPACTOR_H_

#include <string>
#include <string_view>

#include "base/data.h"
#include "base/status.h"
#include "log/base.h"
#include "model/schema.h"

namespace skerry {

class ImageCompactor {
 public:
  explicit ImageCompactor(const Schema* schema) : schema_(schema), base_(schema) {}

  // Call these in this order: every old part, then every record above it in ascending order, then
  // the realms to leave out. If a Status is not ok, the compaction has failed, and nothing of it
  // may be used.
  Status AddPart(std::string_view image);
  Status AddRecord(std::string_view body);  // the body of a record of `updates`
  void DropRealm(std::string_view realm);

  bool empty() const { return base_.empty(); }
  // Something was skipped that the schema does not have.
  bool left_out() const { return left_out_; }
  const Base& base() const { return base_; }
  // Returns the new part. `cursors`: {realm: "rev@at"}.
  std::string Finish(uint64_t n, const Data& cursors) const;

 private:
  const Schema* schema_;
  Base base_;
  bool left_out_ = false;
};

}  // namespace skerry

#endif  // SKERRY_SYNC_IMAGE_COMPACTOR_H_
