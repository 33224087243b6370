// Image: an immutable file with a checksum that holds confirmed rows and the cursors at which they
// were read. A server makes images of one realm, a client of all that it holds. The format is the
// same, so a client stores and loads a server's image without parsing it. Grammar in image.cc.
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
  uint64_t n = 0;  // the client's n up to which it holds records; 0 in a server's image
  Vector<std::pair<std::string, std::string>> cursors;  // realm, "revision@at"
  std::string description;  // of the schema (Schema::description); empty in images of format 1
  uint64_t body_bytes = 0;
};

// Encodes a whole image.
std::string EncodeImage(const Base& base, uint64_t n,
                        const Vector<std::pair<std::string, std::string>>& cursors);

// Reads the header only. kCorrupt, kVersion.
Result<ImageHeader> ReadImageHeader(std::string_view bytes);

// The target of LoadImage: one RowStore per table, and extra rows for ids that are in two realms.
// LoadImage verifies the checksum of the whole image before it changes the sink. Rows of an image
// of an older or a newer schema are converted (log/convert.h). kCorrupt, kVersion (another format).
// After a load that fails later, because the image was made wrong, the sink must be discarded.
class ImageSink {
 public:
  virtual ~ImageSink() = default;
  virtual RowStore* ImageStore(TableIndex table) = 0;
  virtual void ImageExtra(const ObjectKey& key, const Row& row) = 0;
};

// Loads into a plain Base. REQUIRES: the Base is empty. A store holds one row per id, so loading
// into stores that have rows would lose rows of other realms.
class BaseSink final : public ImageSink {
 public:
  explicit BaseSink(Base* base) : base_(base) {}
  RowStore* ImageStore(TableIndex table) override { return &base_->store(table); }
  void ImageExtra(const ObjectKey& key, const Row& row) override { base_->PutBase(key, row); }

 private:
  Base* base_;
};

// Moves all rows of a Base to an empty sink without copying them. The Base must not be used
// afterwards. REQUIRES: both have the same schema.
void MoveRows(Base* rows, ImageSink* sink);

// The stores keep the bytes of `image`, and change them. Sets `left_out` if this schema cannot hold
// something of the image. REQUIRES: the caller passes the only reference to `image`.
Status LoadImage(const Schema& schema, SharedBytes image, ImageSink* sink,
                 bool* left_out = nullptr);
// Adds an image to a Base. If this fails, the Base is unchanged.
Status LoadImage(std::string_view bytes, Base* base, bool* left_out = nullptr);

// The checksum in the image pointer and in the server's answer: XXH64 of the whole image as 16 hex
// digits.
std::string ImageChecksum(std::string_view bytes);

// An image is stored in files of kImageFileBytes; the last one may be shorter. This is the range of
// one file in the image.
struct ImageFile {
  size_t offset = 0;
  size_t bytes = 0;
};
size_t ImageFileCount(size_t image_bytes);
ImageFile ImageFileAt(size_t image_bytes, size_t index);  // REQUIRES: index < ImageFileCount

}  // namespace skerry

#endif  // SKERRY_LOG_IMAGE_H_
