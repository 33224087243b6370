// Image: an immutable, checksummed file holding confirmed rows at stated cursors: of one realm as
// the server makes it, or of all that a client holds. The same format in both, so that a server's
// image goes into a client's storage and memory unparsed. Grammar in image.cc.
#ifndef SKERRY_LOG_IMAGE_H_
#define SKERRY_LOG_IMAGE_H_

#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/data.h"
#include "base/status.h"
#include "base/vector.h"
#include "log/base.h"
#include "model/schema.h"

namespace skerry {

struct ImageHeader {
  uint32_t format = 0;
  uint64_t schema_fingerprint = 0;
  uint32_t schema_version = 0;
  uint64_t n = 0;  // the client's n that it holds; 0 in a server's image
  Vector<std::pair<std::string, std::string>> cursors;  // realm, "revision@at"
  std::string description;  // of the schema (Schema::description); empty in images of format 1
  uint64_t body_bytes = 0;
};

// The whole image. `meta` carries n and cursors.
std::string EncodeImage(const Base& base, uint64_t n,
                        const Vector<std::pair<std::string, std::string>>& cursors);

// Reads the header only. kCorrupt, kVersion.
Result<ImageHeader> ReadImageHeader(std::string_view bytes);

// Where an image's sections go: one RowStore a table, and rows of ids that are in two realms.
// Verifies the checksum of the whole image first; nothing is touched if it does not match. The rows
// of an image of another schema, an older or a newer one, come as this one holds them
// (log/convert.h). kCorrupt, kVersion (another format). A sink whose load fails later, on an image
// that was made wrong, is to be dropped.
class ImageSink {
 public:
  virtual ~ImageSink() = default;
  virtual RowStore* ImageStore(TableIndex table) = 0;
  virtual void ImageExtra(const ObjectKey& key, const Row& row) = 0;
};

// Into a plain base that is empty: a store holds one row an id, so that loading into one that has
// rows would lose those of other realms.
class BaseSink final : public ImageSink {
 public:
  explicit BaseSink(Base* base) : base_(base) {}
  RowStore* ImageStore(TableIndex table) override { return &base_->store(table); }
  void ImageExtra(const ObjectKey& key, const Row& row) override { base_->PutBase(key, row); }

 private:
  Base* base_;
};

// Gives all rows of a base to a sink that has none, where they lie; the base is of no use then.
// REQUIRES: the same schema.
void HandOver(Base* rows, ImageSink* sink);

// The stores share the very bytes, and change them. `left_out` is set where something of the image
// has no place in this schema. REQUIRES: nobody else holds `image`.
Status LoadImage(const Schema& schema, SharedBytes image, ImageSink* sink,
                 bool* left_out = nullptr);
// Adds an image to a base, which is untouched where this fails.
Status LoadImage(std::string_view bytes, Base* base, bool* left_out = nullptr);

// The checksum that the pointer and the server's answer state: 16 hex digits of XXH64 over the
// whole file.
std::string ImageChecksum(std::string_view bytes);

// Images are stored as files of at most kImageFileBytes, the last one shorter: where file `index`
// lies in the image.
struct ImageFile {
  size_t offset = 0;
  size_t bytes = 0;
};
size_t ImageFileCount(size_t image_bytes);
ImageFile ImageFileAt(size_t image_bytes, size_t index);  // REQUIRES: index < ImageFileCount

}  // namespace skerry

#endif  // SKERRY_LOG_IMAGE_H_
