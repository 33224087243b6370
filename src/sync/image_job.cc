#include "sync/image_job.h"

#include <algorithm>
#include <utility>

#include "sync/records.h"

namespace skerry {
namespace {

// Still being written: under the lease and the epoch that it was entered with.
bool InWork(const Data& entry, const LeaseRecord& push_lease, const LeaseRecord& image_lease) {
  const String& name = entry["lease"].as_string();
  if (name.empty()) return false;
  const LeaseRecord& lease = name == "push" ? push_lease : image_lease;
  return lease.owner.has_value() && lease.epoch == entry["epoch"].as_u64();
}

Data GenerationEntry(std::string_view generation, std::string_view lease, uint64_t epoch) {
  Data entry = Data::MakeObject();
  entry.Set("generation", generation).Set("lease", lease).Set("epoch", epoch);
  return entry;
}

}  // namespace

bool WorthRolling(const Data& sync, const SyncLimits& limits, std::string_view layout) {
  const Data& image = sync["image"];
  const uint64_t records = sync["n"].as_u64() - image["n"].as_u64();
  const double bytes = sync["recordBytes"].as_number() - image["recordBytes"].as_number();
  // What costs a start more as records than it costs to write the image again now and then.
  double image_bytes = 0;
  for (const Data& part : image["parts"].items()) image_bytes += part["bytes"].as_number();
  const auto most = static_cast<double>(limits.image_bytes);
  const double worth = std::min(most, std::max(image_bytes / 4, most / 16));
  const bool is_other = image["layout"].is_string() && image["layout"].as_string() != layout;
  return records > 0 && (records >= limits.image_records || bytes >= worth || is_other);
}

void EnterGeneration(std::string_view generation, std::string_view lease, uint64_t epoch,
                     Data* sync) {
  Data generations = (*sync)["generations"].is_array() ? (*sync)["generations"] : Data::MakeArray();
  generations.Push(GenerationEntry(generation, lease, epoch));
  sync->Set("generations", std::move(generations));
}

Data MakePointer(std::string_view generation, Data parts, uint64_t n, Data cursors,
                 uint64_t record_bytes) {
  Data pointer = Data::MakeObject();
  pointer.Set("generation", generation).Set("parts", std::move(parts)).Set("n", n);
  pointer.Set("cursors", std::move(cursors)).Set("recordBytes", record_bytes);
  return pointer;
}

bool HasRealmFile(const Data& pointer) {
  for (const Data& part : pointer["parts"].items()) {
    if (part["file"].Is("realm")) return true;
  }
  return false;
}

void DropImage(Data* sync) {
  EnterGeneration((*sync)["image"]["generation"].as_string(), "", 0, sync);
  const Data previous = (*sync)["previous"];
  sync->Set("image", previous).Set("previous", nullptr);
}

uint64_t SwingPointer(Data pointer, Data* sync) {
  const Data oldest = (*sync)["previous"];
  const Data previous = (*sync)["image"];
  Data generations = Data::MakeArray();
  for (const Data& entry : (*sync)["generations"].items()) {
    if (!SameGeneration(entry, pointer)) generations.Push(entry);
  }
  sync->Set("generations", std::move(generations));
  if (oldest.is_object()) EnterGeneration(oldest["generation"].as_string(), "", 0, sync);
  sync->Set("previous", previous).Set("image", std::move(pointer));
  return previous["n"].as_u64();
}

uint64_t EmitImageJob(Data job, Turn* turn) {
  const uint64_t id = turn->NextId();
  turn->Emit(Message("image").Set("id", id).Set("job", std::move(job)));
  return id;
}

uint64_t EmitDelete(const Data& generations, Turn* turn) {
  Data job = Data::MakeObject();
  return EmitImageJob(std::move(job.Set("kind", "delete").Set("generations", generations)), turn);
}

Data Garbage(const Data& sync, const LeaseRecord& push_lease, const LeaseRecord& image_lease) {
  Data garbage = Data::MakeArray();
  for (const Data& entry : sync["generations"].items()) {
    if (SameGeneration(entry, sync["image"]) || SameGeneration(entry, sync["previous"])) continue;
    if (!InWork(entry, push_lease, image_lease)) garbage.Push(entry["generation"]);
  }
  return garbage;
}

void ForgetGenerations(const Data& generations, Data* sync) {
  Data left = Data::MakeArray();
  for (const Data& entry : (*sync)["generations"].items()) {
    if (!ContainsString(generations, entry["generation"].as_string())) left.Push(entry);
  }
  sync->Set("generations", std::move(left));
}

bool SameGeneration(const Data& pointer, const Data& other) {
  return pointer["generation"].is_string() && pointer["generation"] == other["generation"];
}

}  // namespace skerry
