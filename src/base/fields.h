// Fields: an object written down member by member, as Data::Object{{"type", "x"}, {"n", 1}} would
// be, at a third of the code: the members' strings and their vector are made out of line.
#ifndef SKERRY_BASE_FIELDS_H_
#define SKERRY_BASE_FIELDS_H_

#include <initializer_list>

#include "base/data.h"

namespace skerry {

struct Field {
  const char* name;
  mutable Data value;  // taken, not copied
};

// Takes the place of the Data that it is: pass it, push it, return it.
class Fields : public Data {
 public:
  Fields(std::initializer_list<Field> fields);
};

}  // namespace skerry

#endif  // SKERRY_BASE_FIELDS_H_
