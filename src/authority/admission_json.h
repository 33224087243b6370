// AdmissionSession: Admission with JSON text in and out (docs/authority.md, section 3). It holds no
// rules.
#ifndef SKERRY_AUTHORITY_ADMISSION_JSON_H_
#define SKERRY_AUTHORITY_ADMISSION_JSON_H_

#include <string>
#include <string_view>

#include "authority/admission.h"
#include "log/wire/admission_steps.h"
#include "log/wire/logged.h"
#include "model/schema.h"

namespace skerry {

class AdmissionSession {
 public:
  explicit AdmissionSession(const Schema* schema) : schema_(schema), admission_(schema) {}
  // Returns one JSON object. After `done` follow the lists that the server writes, each on a line
  // of its own.
  std::string Step(std::string_view text);

 private:
  enum class State { kNew, kAsked, kFinished };
  Result<Data> StepData(Data in);
  Status Start(wire::AdmissionBegin begin);
  Status LoadRows(const Data& rows);
  Status LoadLooked(const Vector<wire::RowKey>& keys);
  Status LoadMore(const wire::AdmissionLoaded& loaded);
  Data NeedsToData(const Needs& needs) const;
  Data DoneToData() const;
  void WriteLists(std::string* out) const;
  Data ChangeToData(const LogChange& change) const;
  Data HeadsToData() const;
  Map<std::string, int64_t> Growth() const;
  const std::string& TableOf(const WorkingSet::Final& row) const;
  void LoadBefore(const Data& data, DoneEntry* done) const;
  wire::RowKey NameOf(const PlacedKey& key) const;

  const Schema* schema_;
  Admission admission_;
  Vector<WorkingSet::Final> rows_;  // set when the admission is done
  State state_ = State::kNew;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_ADMISSION_JSON_H_
