// Map and Set: std::map and std::set with transparent look-up. A std::string_view finds a
// std::string key without a copy.
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
