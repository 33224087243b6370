// skerry-image: makes images in Emscripten's IDBFS (docs/sync-worker.md, section 6;
// js/worker/image-files.ts owns it). A Worker loads it when an image is made; an instance makes one
// image, and is then discarded. Its buffers are those of the module `skerry`; its dozen calls are raw
// exports, because Embind would make it a tenth larger. Calls that wait for
// IndexedDB complete with Module.onSync(ticket, problem or null).
//
// A mount is used for one image after the other. syncfs(false) compares and writes in two
// transactions, between which another worker may write. So ImageWrite replaces what the mount's
// database has, in one transaction, and refuses to if there is an image of a higher number.
#include "log/image.h"

#include <emscripten/em_js.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "abi.h"
#include "base/data.h"
#include "base/limits.h"
#include "model/schema.h"
#include "sync/image_compactor.h"

EM_JS_DEPS(skerry_image, "$FS,$IDBFS,$UTF8ToString");

// clang-format off
EM_JS(void, ImageMount, (const char* path), {
  FS.mount(IDBFS, {}, UTF8ToString(path));
});
EM_JS(void, ImageWrite, (const char* path, double number, int ticket), {
  const mount = UTF8ToString(path);
  let problem = null;
  const done = (error) => {
    problem ||= error && [error.name, error.message || error].join(' ');
    Module['onSync'](ticket, problem);
  };
  IDBFS.getDB(mount, (error, db) => {
    if (error) return done(error);
    // Who deletes the client's data does not wait.
    db.onversionchange = () => db.close();
    try {
      const tx = db.transaction([IDBFS.DB_STORE_NAME], 'readwrite');
      const store = tx.objectStore(IDBFS.DB_STORE_NAME);
      tx.oncomplete = () => done(null);
      tx.onabort = () => done(tx.error || 'aborted');
      const present = store.get('number');
      present.onsuccess = () => {
        if (present.result > number) {
          problem = 'overtaken';
          return tx.abort();
        }
        store.clear();
        store.put(number, 'number');
        for (const file of FS.readdir(mount)) {
          if (file == '.' || file == '..') continue;
          const name = mount + '/' + file;
          IDBFS.loadLocalEntry(name, (error, entry) => store.put(entry, name));
        }
      };
    } catch (error) {
      done(error);
    }
  });
});
EM_JS(void, ImageRead, (int ticket), {
  FS.syncfs(true, (error) => Module['onSync'](ticket, error ? [error.name, error.message || error].join(' ') : null));
});
EM_JS(void, ImageUnmount, (const char* path), {
  FS.unmount(UTF8ToString(path));
});
EM_JS(void, ImageClose, (const char* path), {
  const mount = UTF8ToString(path);
  const db = IDBFS.dbs[mount];
  if (db) db.close();
  delete IDBFS.dbs[mount];
});
// clang-format on

namespace skerry::abi {
namespace {

struct Job {
  explicit Job(Schema schema_in) : schema(std::move(schema_in)), compactor(&schema) {}
  Schema schema;
  ImageCompactor compactor;
  std::string mount;
  std::string name;  // what the paths of its files begin with
  double number = 0;
};
std::unique_ptr<Job> job;

Status NoJob() { return {Code::kClosed, "no image job"}; }

std::string FilePath(std::string_view part, size_t index) {
  return job->name + std::string(part) + '.' + std::to_string(index);
}

Status MakeFolders(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
      return {Code::kInvalidArgument, "no folder " + folder};
    if (end == std::string::npos) return Status::Ok();
  }
}

Status WriteFile(const std::string& path, std::string_view bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wbx");
  if (file == nullptr) return {Code::kInvalidArgument, "the file is there already: " + path};
  const size_t written = std::fwrite(bytes.data(), 1, bytes.size(), file);
  const bool closed = std::fclose(file) == 0;
  if (written != bytes.size() || !closed)
    return {Code::kLimit, "the file could not be written: " + path};
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

// Writes a part in files of 4 MB, and outputs {file, bytes, checksum, leftOut?}.
int32_t SavePart(std::string_view name, std::string_view bytes, bool left_out = false) {
  for (size_t i = 0; i < ImageFileCount(bytes.size()); ++i) {
    const ImageFile file = ImageFileAt(bytes.size(), i);
    const Status written = WriteFile(FilePath(name, i), bytes.substr(file.offset, file.bytes));
    if (!written.ok()) return Fail(written);
  }
  Data part = Data::MakeObject();
  part.Set("file", name)
      .Set("bytes", static_cast<uint64_t>(bytes.size()))
      .Set("checksum", ImageChecksum(bytes));
  if (left_out) part.Set("leftOut", true);
  return OutputData(part);
}

}  // namespace
}  // namespace skerry::abi

using skerry::Code;
using skerry::Data;
using skerry::Result;
using skerry::Schema;
using skerry::Status;
namespace abi = skerry::abi;

// Begins an image: Data {schema, mount, name, number}. The mount is an absolute path; the paths of
// the image's files begin with `name`, and no other image has such files.
SKERRY_EXPORT int32_t sk_image_new(int32_t length) {
  if (abi::job != nullptr)
    return abi::Fail({Code::kInvalidArgument, "an instance makes one image"});
  Result<Data> input = skerry::DecodeData(abi::Input(length));
  if (!input.ok()) return abi::Fail(input.status());
  const std::string& mount = input.value()["mount"].as_string();
  if (mount.empty() || mount[0] != '/')
    return abi::Fail({Code::kInvalidArgument, "a mount is an absolute path"});
  Result<Schema> schema = Schema::Parse(input.value()["schema"]);
  if (!schema.ok()) return abi::Fail(schema.status());
  if (Status made = abi::MakeFolders(mount); !made.ok()) return abi::Fail(made);
  abi::job = std::make_unique<abi::Job>(std::move(schema.value()));
  abi::job->mount = mount;
  abi::job->name = input.value()["name"].as_string();
  abi::job->number = input.value()["number"].as_number();
  ImageMount(mount.c_str());
  return 0;
}

// Adds a part of the old image to the rows.
SKERRY_EXPORT int32_t sk_image_load(const char* bytes, int32_t length) {
  if (abi::job == nullptr) return abi::Fail(abi::NoJob());
  return abi::Done(abi::job->compactor.AddPart({bytes, static_cast<size_t>(length)}));
}

// Folds the body of a record of `updates` into the rows.
SKERRY_EXPORT int32_t sk_image_apply(int32_t length) {
  if (abi::job == nullptr) return abi::Fail(abi::NoJob());
  return abi::Done(abi::job->compactor.AddRecord(abi::Input(length)));
}

// Removes the rows of a realm. The input is its name as UTF-8.
SKERRY_EXPORT int32_t sk_image_drop(int32_t length) {
  if (abi::job == nullptr) return abi::Fail(abi::NoJob());
  abi::job->compactor.DropRealm(abi::Input(length));
  return 0;
}

// Writes the rows as a part: Data {file, n, cursors} -> Data {file, bytes, checksum, leftOut?}.
// leftOut: the schema could not hold something that was loaded or applied.
SKERRY_EXPORT int32_t sk_image_encode(int32_t length) {
  if (abi::job == nullptr) return abi::Fail(abi::NoJob());
  Result<Data> input = skerry::DecodeData(abi::Input(length));
  if (!input.ok()) return abi::Fail(input.status());
  const Data& data = input.value();
  return abi::SavePart(data["file"].as_string(),
                       abi::job->compactor.Finish(data["n"].as_u64(), data["cursors"]),
                       abi::job->compactor.left_out());
}

// Writes bytes unchanged as a part. The input area holds its name. Out: Data {file, bytes,
// checksum}.
SKERRY_EXPORT int32_t sk_image_store(const char* bytes, int32_t size, int32_t length) {
  if (abi::job == nullptr) return abi::Fail(abi::NoJob());
  return abi::SavePart(abi::Input(length), {bytes, static_cast<size_t>(size)});
}

// Stores the written files in the place of those that the mount had. Completes with onSync(ticket);
// the problem is `overtaken` if it has an image of a higher number, which stays.
SKERRY_EXPORT int32_t sk_image_write(int32_t ticket) {
  if (abi::job == nullptr) return abi::Fail(abi::NoJob());
  ImageWrite(abi::job->mount.c_str(), abi::job->number, ticket);
  return 0;
}

// Drops all files from memory and reads the mount from IndexedDB. Completes with
// onSync(ticket).
SKERRY_EXPORT int32_t sk_image_remount(int32_t ticket) {
  if (abi::job == nullptr) return abi::Fail(abi::NoJob());
  ImageUnmount(abi::job->mount.c_str());
  ImageMount(abi::job->mount.c_str());
  ImageRead(ticket);
  return 0;
}

// The checksum of a part, read from its files: Data {file, bytes} -> text.
SKERRY_EXPORT int32_t sk_image_check(int32_t length) {
  if (abi::job == nullptr) return abi::Fail(abi::NoJob());
  Result<Data> input = skerry::DecodeData(abi::Input(length));
  if (!input.ok()) return abi::Fail(input.status());
  const size_t total = input.value()["bytes"].as_u64();
  std::string bytes;
  for (size_t i = 0; i < skerry::ImageFileCount(total); ++i) {
    const std::string path = abi::FilePath(input.value()["file"].as_string(), i);
    const Status read = abi::ReadFile(path, skerry::ImageFileAt(total, i).bytes, &bytes);
    if (!read.ok()) return abi::Fail(read);
  }
  return abi::Output(skerry::ImageChecksum(bytes));
}

// Closes the database of IDBFS, so that it can be deleted later. IDBFS never closes it.
SKERRY_EXPORT int32_t sk_image_close() {
  if (abi::job != nullptr) ImageClose(abi::job->mount.c_str());
  abi::job.reset();
  return 0;
}
