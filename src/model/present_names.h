// Names of tables and props of which some are of former releases (model/former_names.h), as the
// present release has them. Names that the schema does not know stay.
#ifndef SKERRY_MODEL_PRESENT_NAMES_H_
#define SKERRY_MODEL_PRESENT_NAMES_H_

#include <string>

#include "base/data.h"
#include "model/schema.h"

namespace skerry {

std::string PresentName(const Schema& schema, const std::string& table);
std::string PresentName(const Schema& schema, const std::string& table, const std::string& prop);

// Renames in a scope. Its filter may be anything: what is none stays.
void UsePresentNames(const Schema& schema, std::string* table, Data* where);

}  // namespace skerry

#endif  // SKERRY_MODEL_PRESENT_NAMES_H_
