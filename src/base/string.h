#ifndef SKERRY_BASE_STRING_H_
#define SKERRY_BASE_STRING_H_

#include <string>

namespace skerry {
using String = std::string;
}  // namespace skerry

#endif  // SKERRY_BASE_STRING_H_
