// AdmissionSession: Admission with JSON text in and out, as docs/authority.md section 3 says. No
// rules here.
#ifndef SKERRY_AUTHORITY_ADMISSION_JSON_H_
#define SKERRY_AUTHORITY_ADMISSION_JSON_H_

#include <string_view>

#include "authority/admission.h"
#include "base/string.h"
#include "model/schema.h"

namespace skerry {

class AdmissionSession {
 public:
  explicit AdmissionSession(const Schema* schema) : schema_(schema), admission_(schema) {}
  String Step(std::string_view text);

 private:
  enum class State { kNew, kAsked, kFinished };
  Result<Data> StepData(const Data& in);
  Status Start(const Data& in);
  Status LoadRows(const Data& in);
  Data NeedsToData(const Needs& needs) const;
  Data DoneToData() const;

  const Schema* schema_;
  Admission admission_;
  State state_ = State::kNew;
};

}  // namespace skerry

#endif  // SKERRY_AUTHORITY_ADMISSION_JSON_H_
