// ImageMaker writes the rows of a realm as an image, in the client's own format (log/image.h).
#ifndef SKERRY_AUTHORITY_IMAGE_MAKER_H_
#define SKERRY_AUTHORITY_IMAGE_MAKER_H_

#include <string>
#include <string_view>

#include "authority/cursor.h"
#include "base/status.h"
#include "log/base.h"
#include "model/schema.h"

namespace skerry {

class ImageMaker {
 public:
  ImageMaker(const Schema* schema, std::string realm, Cursor at)
      : base_(schema), realm_(std::move(realm)), at_(at) {}
  ImageMaker(const ImageMaker&) = delete;
  ImageMaker& operator=(const ImageMaker&) = delete;

  // REQUIRES: a live row of the realm.
  Status AddRow(const ObjectKey& key, const Row& row);
  // Returns the whole image, valid as long as the maker lives. No row can be added afterwards.
  const std::string& Finish();
  const std::string& bytes() const { return bytes_; }

  // JSON: {"rows":[Row..]} -> {} or {"error"}; Finish -> {"bytes","hash"}.
  std::string Rows(std::string_view text);
  std::string FinishJson();

 private:
  Base base_;
  std::string realm_;
  Cursor at_;
  std::string bytes_;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_IMAGE_MAKER_H_
