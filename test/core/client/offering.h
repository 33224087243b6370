// What a server answers to offers, and what they were.
#ifndef SKERRY_TEST_CORE_CLIENT_OFFERING_H_
#define SKERRY_TEST_CORE_CLIENT_OFFERING_H_

#include <cstdint>
#include <string>

#include "base/data.h"
#include "base/vector.h"

namespace skerry::client_test {

inline Data Answer(uint64_t common, uint64_t done = 0, uint64_t taken = 0) {
  return Data::Object{{"common", static_cast<double>(common)},
                      {"done", static_cast<double>(done)},
                      {"taken", static_cast<double>(taken)},
                      {"refused", Data::MakeArray()}};
}

inline Vector<std::string> Ids(const Data& request) {
  Vector<std::string> ids;
  for (const Data& op : request["ops"].items()) ids.push_back(op["id"].as_string());
  return ids;
}

}  // namespace skerry::client_test

#endif  // SKERRY_TEST_CORE_CLIENT_OFFERING_H_
