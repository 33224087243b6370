// Reads and writes little-endian numbers, varints and length-prefixed text. The Reader never reads
// past the end of its input: a failed read sets failed() and returns zero, so a decoder can check
// once per record.
#ifndef SKERRY_BASE_BYTES_H_
#define SKERRY_BASE_BYTES_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace skerry {

inline void PutU8(std::string* out, uint8_t v) { out->push_back(static_cast<char>(v)); }
void PutU32(std::string* out, uint32_t v);
void PutU64(std::string* out, uint64_t v);
void PutF64(std::string* out, double v);
void PutVarint(std::string* out, uint64_t v);
void PutText(std::string* out, std::string_view v);  // varint length, then the bytes

// Bytes with several owners. Each owner may change its own part of them: the row stores that were
// loaded from one image share that image's bytes.
class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(std::string_view copied);
  // The caller writes all of them: to set them to zero first takes as long as to copy an image.
  static SharedBytes Uninitialized(size_t size);

  char* data() const { return bytes_.get(); }
  size_t size() const { return size_; }
  std::string_view view() const { return {bytes_.get(), size_}; }
  void reset() { *this = {}; }

 private:
  std::shared_ptr<char[]> bytes_;
  size_t size_ = 0;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  uint8_t U8();
  uint32_t U32();
  uint64_t U64();
  double F64();
  uint64_t Varint();
  std::string_view Text();             // a view into the input
  std::string_view Take(size_t size);  // a view into the input
  bool failed() const { return failed_; }
  void Fail() { failed_ = true; }
  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }
  bool AtEnd() const { return !failed_ && position_ == bytes_.size(); }

 private:
  bool Has(size_t size) {
    if (failed_ || size > bytes_.size() - position_) failed_ = true;
    return !failed_;
  }
  std::string_view bytes_;
  size_t position_ = 0;
  bool failed_ = false;
};

std::string Base64Encode(std::string_view bytes);
// Accepts the standard alphabet with padding; false on anything else.
bool Base64Decode(std::string_view text, std::string* out);

}  // namespace skerry

#endif  // SKERRY_BASE_BYTES_H_
