// Map and Set: std::map and std::set whose keys are looked up by what compares with them, so that a
// std::string_view finds a std::string without a copy.
#ifndef SKERRY_BASE_MAP_H_
#define SKERRY_BASE_MAP_H_

#include <functional>
#include <map>
#include <set>

namespace skerry {

template <typename K, typename V>
using Map = std::map<K, V, std::less<>>;
template <typename K>
using Set = std::set<K, std::less<>>;

}  // namespace skerry

#endif  // SKERRY_BASE_MAP_H_
