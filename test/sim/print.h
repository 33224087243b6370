// Texts for C's functions of output.
#ifndef SKERRY_TEST_SIM_PRINT_H_
#define SKERRY_TEST_SIM_PRINT_H_

#include <string>
#include <string_view>

namespace skerry::sim {

inline std::string Terminated(std::string_view text) { return std::string(text); }

}  // namespace skerry::sim

#endif  // SKERRY_TEST_SIM_PRINT_H_
