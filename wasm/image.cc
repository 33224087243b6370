// skerry-image: makes images in Emscripten's IDBFS (docs/sync-worker.md, section 6). Loaded in a Worker when the first job
// comes. The buffers are those of the module `skerry` (sk_buffer, sk_out); what waits for IndexedDB is a promise (Embind).
//
// One mount at a time: syncfs(false) makes a database equal to what this module has in memory, so nothing but the
// generation that is being written or read may be mounted. Files are written once, under a new name, and never again.
#include <emscripten/bind.h>
#include <emscripten/em_js.h>
#include <emscripten/val.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "abi.h"
#include "base/data.h"
#include "base/limits.h"
#include "log/image.h"
#include "model/schema.h"
#include "sync/image_roll.h"

using emscripten::EM_VAL;

EM_JS_DEPS(skerry_image, "$FS,$IDBFS,$Emval,$UTF8ToString");

// clang-format off
EM_JS(void, ImageMount, (const char* path), {
  FS.mount(IDBFS, {}, UTF8ToString(path));
});
EM_JS(EM_VAL, ImageSync, (int populate), {
  return Emval.toHandle(new Promise((resolve, reject) => {
    FS.syncfs(!!populate, (error) => error ? reject(error) : resolve());
  }));
});
EM_JS(void, ImageUnmount, (const char* path), {
  const mount = UTF8ToString(path);
  const db = IDBFS.dbs[mount];
  if (db) db.close();
  delete IDBFS.dbs[mount];
  FS.unmount(mount);
});
// A window that still reads the database blocks its deletion: it is deleted when that window closes it.
EM_JS(EM_VAL, ImageDelete, (const char* path), {
  return Emval.toHandle(new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(UTF8ToString(path));
    request.onsuccess = request.onblocked = () => resolve();
    request.onerror = () => reject(request.error);
  }));
});
// clang-format on

namespace skerry::abi {
namespace {

std::string input_area;
std::string output_area;

struct Job {
  explicit Job(Schema schema_in) : schema(std::move(schema_in)), roll(&schema) {}
  Schema schema;
  ImageRoll roll;
  std::string mount;
  std::string part;  // the bytes of the part that is to be saved next
};
std::unique_ptr<Job> job;

Status NoJob() { return {Code::kClosed, "no image job"}; }

std::string FilePath(const Data& part, size_t index) {
  return job->mount + '/' + part["file"].as_string() + '.' + std::to_string(index);
}

Status MakeFolders(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) return {Code::kInvalidArgument, "no folder " + folder};
    if (end == std::string::npos) return Status::Ok();
  }
}

Status WriteFile(const std::string& path, std::string_view bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wbx");
  if (file == nullptr) return {Code::kInvalidArgument, "the file is there already: " + path};
  const size_t written = std::fwrite(bytes.data(), 1, bytes.size(), file);
  const bool closed = std::fclose(file) == 0;
  if (written != bytes.size() || !closed) return {Code::kLimit, "the file could not be written: " + path};
  return Status::Ok();
}

Status ReadFile(const std::string& path, size_t size, std::string* out) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return {Code::kNotFound, "the image has no file " + path};
  const size_t at = out->size();
  out->resize(at + size);
  const size_t read = std::fread(out->data() + at, 1, size, file);
  std::fclose(file);
  if (read != size) return {Code::kCorrupt, "a file of the image is too short: " + path};
  return Status::Ok();
}

// Reads a part, {file, bytes, checksum}, of the generation that is mounted.
Status ReadPart(const Data& part, std::string* bytes) {
  const size_t total = part["bytes"].as_u64();
  bytes->reserve(total);
  for (size_t i = 0; i < ImageFileCount(total); ++i) {
    if (Status read = ReadFile(FilePath(part, i), ImageFileAt(total, i).bytes, bytes); !read.ok()) return read;
  }
  if (ImageChecksum(*bytes) != part["checksum"].as_string()) return {Code::kCorrupt, "a part of the image is damaged"};
  return Status::Ok();
}

Result<Data> Named(int32_t length) {
  if (job == nullptr) return NoJob();
  return DecodeData(Input(length));
}

int32_t Done(const Status& status) { return status.ok() ? 0 : Fail(status); }

}  // namespace

std::string_view Input(int32_t length) {
  if (length < 0 || static_cast<size_t>(length) > input_area.size()) return {};
  return std::string_view(input_area).substr(0, static_cast<size_t>(length));
}

int32_t Output(std::string bytes) {
  output_area = std::move(bytes);
  return 0;
}

int32_t OutputData(const Data& data) {
  std::string bytes;
  EncodeData(data, &bytes);
  return Output(std::move(bytes));
}

int32_t Fail(const Status& status) {
  output_area = status.detail();
  return -static_cast<int32_t>(status.code());
}

}  // namespace skerry::abi

using skerry::Code;
using skerry::Data;
using skerry::Result;
using skerry::Schema;
using skerry::Status;
namespace abi = skerry::abi;

SKERRY_EXPORT uint8_t* sk_buffer(int32_t length) {
  const size_t wanted = length < 0 ? 0 : static_cast<size_t>(length);
  if (wanted > abi::input_area.size() || abi::input_area.empty()) abi::input_area.resize(std::max<size_t>(wanted, 1024));
  return reinterpret_cast<uint8_t*>(abi::input_area.data());
}
SKERRY_EXPORT const uint8_t* sk_out() { return reinterpret_cast<const uint8_t*>(abi::output_area.data()); }
SKERRY_EXPORT int32_t sk_out_len() { return static_cast<int32_t>(abi::output_area.size()); }

// Begins a job, and ends the one before: Data {schema}.
SKERRY_EXPORT int32_t sk_image_begin(int32_t length) {
  abi::job.reset();
  Result<Data> input = skerry::DecodeData(abi::Input(length));
  if (!input.ok()) return abi::Fail(input.status());
  Result<Schema> schema = Schema::Parse(input.value()["schema"]);
  if (!schema.ok()) return abi::Fail(schema.status());
  abi::job = std::make_unique<abi::Job>(std::move(schema.value()));
  return 0;
}

// Gives the memory of a job back.
SKERRY_EXPORT int32_t sk_image_end() {
  abi::job.reset();
  abi::input_area = std::string();
  abi::output_area = std::string();
  return 0;
}

// Mounts a generation: its path as UTF-8. Nothing else may be mounted. `imageSync(true)` then reads what it holds.
SKERRY_EXPORT int32_t sk_image_mount(int32_t length) {
  if (abi::job == nullptr) return abi::Fail(abi::NoJob());
  if (!abi::job->mount.empty()) return abi::Fail({Code::kInvalidArgument, "a generation is mounted already"});
  const std::string path(abi::Input(length));
  if (path.empty() || path[0] != '/') return abi::Fail({Code::kInvalidArgument, "a mount is an absolute path"});
  if (Status made = abi::MakeFolders(path); !made.ok()) return abi::Fail(made);
  abi::job->mount = path;
  ImageMount(path.c_str());
  return 0;
}

// Closes the database of the mounted generation and unmounts it. What was not synced is lost, on purpose.
SKERRY_EXPORT int32_t sk_image_unmount() {
  if (abi::job == nullptr || abi::job->mount.empty()) return 0;
  ImageUnmount(abi::job->mount.c_str());
  abi::job->mount.clear();
  return 0;
}

// Reads a part of the mounted generation into the roll: Data {file, bytes, checksum}.
SKERRY_EXPORT int32_t sk_image_load(int32_t length) {
  Result<Data> part = abi::Named(length);
  if (!part.ok()) return abi::Fail(part.status());
  std::string bytes;
  if (Status read = abi::ReadPart(part.value(), &bytes); !read.ok()) return abi::Fail(read);
  return abi::Done(abi::job->roll.AddPart(bytes));
}

// Checks a part of the mounted generation: Data {file, bytes, checksum}.
SKERRY_EXPORT int32_t sk_image_verify(int32_t length) {
  Result<Data> part = abi::Named(length);
  if (!part.ok()) return abi::Fail(part.status());
  std::string bytes;
  return abi::Done(abi::ReadPart(part.value(), &bytes));
}

// Folds a record of `updates` into the roll: the bytes of its body.
SKERRY_EXPORT int32_t sk_image_record(int32_t length) {
  if (abi::job == nullptr) return abi::Fail(abi::NoJob());
  return abi::Done(abi::job->roll.AddRecord(abi::Input(length)));
}

// Leaves a realm out of the roll: its name as UTF-8.
SKERRY_EXPORT int32_t sk_image_drop(int32_t length) {
  if (abi::job == nullptr) return abi::Fail(abi::NoJob());
  abi::job->roll.DropRealm(abi::Input(length));
  return 0;
}

// Makes the roll the part to be saved: Data {n, cursors}. Returns 1, or 0 where it holds no row (there is then no part).
SKERRY_EXPORT int32_t sk_image_finish(int32_t length) {
  Result<Data> input = abi::Named(length);
  if (!input.ok()) return abi::Fail(input.status());
  if (abi::job->roll.empty()) return 0;
  abi::job->part = abi::job->roll.Finish(input.value()["n"].as_u64(), input.value()["cursors"]);
  return 1;
}

// Appends bytes of a fetched image to the part to be saved.
SKERRY_EXPORT int32_t sk_image_append(int32_t length) {
  if (abi::job == nullptr) return abi::Fail(abi::NoJob());
  abi::job->part += abi::Input(length);
  return 0;
}

// Writes the part into the mounted generation, in files of 4 MB: Data {file, bytes?, checksum?}; what is stated is checked
// first. Out: Data {file, bytes, checksum}. `imageSync(false)` then makes it durable.
SKERRY_EXPORT int32_t sk_image_save(int32_t length) {
  Result<Data> input = abi::Named(length);
  if (!input.ok()) return abi::Fail(input.status());
  if (abi::job->mount.empty()) return abi::Fail({Code::kInvalidArgument, "no generation is mounted"});
  const std::string bytes = std::exchange(abi::job->part, std::string());
  const Data& stated = input.value();
  Data part = Data::MakeObject();
  part.Set("file", stated["file"]).Set("bytes", static_cast<uint64_t>(bytes.size()));
  part.Set("checksum", skerry::ImageChecksum(bytes));
  for (const char* name : {"bytes", "checksum"}) {
    if (!stated[name].is_null() && !(stated[name] == part[name])) {
      return abi::Fail({Code::kCorrupt, "the fetched image is damaged"});
    }
  }
  for (size_t i = 0; i < skerry::ImageFileCount(bytes.size()); ++i) {
    const skerry::ImageFile file = skerry::ImageFileAt(bytes.size(), i);
    const Status written = abi::WriteFile(abi::FilePath(part, i), std::string_view(bytes).substr(file.offset, file.bytes));
    if (!written.ok()) return abi::Fail(written);
  }
  return abi::OutputData(part);
}

namespace {

emscripten::val SyncFiles(bool populate) { return emscripten::val::take_ownership(ImageSync(populate ? 1 : 0)); }
emscripten::val DeleteGeneration(const std::string& path) {
  return emscripten::val::take_ownership(ImageDelete(path.c_str()));
}

}  // namespace

EMSCRIPTEN_BINDINGS(skerry_image) {
  emscripten::function("imageSync", &SyncFiles);
  emscripten::function("imageDelete", &DeleteGeneration);
}
