// Map and Set: std::map and std::set, as far as this house uses them, for a fraction of their code:
// what does not depend on keys and values is in base/tree.cc. As with those, what is in them stays
// where it is in memory until it is erased.
#ifndef SKERRY_BASE_MAP_H_
#define SKERRY_BASE_MAP_H_

#include <compare>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/relocatable.h"
#include "base/string.h"
#include "base/tree.h"

namespace skerry {

// What Map and Set share: items in the order of their keys, each key once.
template <typename K, typename Item>
class Tree {
 public:
  // Text is looked up by a view of it.
  using Sought = std::conditional_t<std::is_same_v<K, String>, std::string_view, K>;

  template <typename T>
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = Item;
    using difference_type = ptrdiff_t;
    using pointer = T*;
    using reference = T&;

    Iterator() = default;
    explicit Iterator(TreeNode* node) : node_(node) {}
    operator Iterator<const T>() const {  // NOLINT(google-explicit-constructor)
      return Iterator<const T>(node_);
    }
    T& operator*() const { return static_cast<Node*>(node_)->item; }
    T* operator->() const { return &**this; }
    Iterator& operator++() {
      node_ = RawTree::Next(node_);
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(Iterator a, Iterator b) { return a.node_ == b.node_; }

   private:
    friend class Tree;
    TreeNode* node_ = nullptr;
  };
  // The items of a Set are constant, as the keys of a Map are.
  using iterator = Iterator<Item>;
  using const_iterator = Iterator<const Item>;
  using value_type = Item;
  using key_type = K;

  Tree() = default;
  Tree(const Tree& other) { AddAll(other.begin(), other.end()); }
  Tree(Tree&& other) noexcept : raw_(std::exchange(other.raw_, {})) {}
  ~Tree() { clear(); }
  Tree& operator=(const Tree& other) { return *this = Tree(other); }
  Tree& operator=(Tree&& other) noexcept {
    // Through a tree of its own: what is dropped may own `other`.
    Tree taken(std::move(other));
    swap(taken);
    return *this;
  }
  void swap(Tree& other) noexcept { std::swap(raw_, other.raw_); }

  size_t size() const { return raw_.size; }
  bool empty() const { return raw_.size == 0; }
  iterator begin() { return iterator(raw_.First()); }
  iterator end() { return {}; }
  const_iterator begin() const { return const_iterator(raw_.First()); }
  const_iterator end() const { return {}; }

  // The last. REQUIRES: not empty.
  const Item& back() const { return *const_iterator(raw_.Last()); }

  iterator find(const Sought& key) { return iterator(Find(key)); }
  const_iterator find(const Sought& key) const { return const_iterator(Find(key)); }
  bool contains(const Sought& key) const { return Find(key) != nullptr; }
  size_t count(const Sought& key) const { return contains(key) ? 1 : 0; }
  iterator lower_bound(const Sought& key) { return iterator(Bound(key, false)); }
  const_iterator lower_bound(const Sought& key) const { return const_iterator(Bound(key, false)); }
  iterator upper_bound(const Sought& key) { return iterator(Bound(key, true)); }
  const_iterator upper_bound(const Sought& key) const { return const_iterator(Bound(key, true)); }

  void clear() {
    if (raw_.root != nullptr) raw_.Clear(&Destroy);
  }
  iterator erase(const_iterator at) {
    iterator next(RawTree::Next(at.node_));
    raw_.Remove(at.node_);
    Destroy(at.node_);
    return next;
  }
  size_t erase(const Sought& key) {
    TreeNode* const node = Find(key);
    if (node == nullptr) return 0;
    erase(const_iterator(node));
    return 1;
  }
  iterator erase(const_iterator first, const_iterator last) {
    while (first != last) first = erase(first);
    return iterator(last.node_);
  }

  std::pair<iterator, bool> insert(const Item& item) { return Add(KeyOf(item), item); }
  std::pair<iterator, bool> insert(Item&& item) { return Add(KeyOf(item), std::move(item)); }
  template <typename I>
  void insert(I first, I last) {
    AddAll(first, last);
  }

  friend bool operator==(const Tree& a, const Tree& b) {
    if (a.size() != b.size()) return false;
    for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
      if (!(*i == *j)) return false;
    }
    return true;
  }

 protected:
  struct Node : TreeNode {
    template <typename... Args>
    explicit Node(Args&&... args) : TreeNode(), item(std::forward<Args>(args)...) {}
    Item item;
  };

  static const K& KeyOf(const Item& item) {
    if constexpr (std::is_same_v<K, std::remove_const_t<Item>>) {
      return item;
    } else {
      return item.first;
    }
  }
  template <typename I>
  void AddAll(I first, I last) {
    for (; first != last; ++first) Add(KeyOf(*first), *first);
  }
  // REQUIRES: the key is not a part of what the item is made of by moving, but for its key.
  template <typename... Args>
  std::pair<iterator, bool> Add(const K& key, Args&&... args) {
    RawTree::Place place;
    const Sought& sought = key;
    TreeNode* node = raw_.Find(&sought, &Compare, &place);
    const bool added = node == nullptr;
    if (added) {
      node = new Node(std::forward<Args>(args)...);
      raw_.Insert(node, place);
    }
    return {iterator(node), added};
  }

 private:
  static int Compare(const void* sought, const TreeNode* node) {
    const auto order =
        *static_cast<const Sought*>(sought) <=> KeyOf(static_cast<const Node*>(node)->item);
    return order < 0 ? -1 : order > 0;
  }
  static void Destroy(TreeNode* node) { delete static_cast<Node*>(node); }
  TreeNode* Find(const Sought& key) const {
    RawTree::Place place;
    return raw_.Find(&key, &Compare, &place);
  }
  TreeNode* Bound(const Sought& key, bool after) const { return raw_.Bound(&key, &Compare, after); }

  RawTree raw_;
};

template <typename K>
class Set : public Tree<K, const K> {
 public:
  Set() = default;
  Set(std::initializer_list<K> keys) { this->AddAll(keys.begin(), keys.end()); }
  template <typename I>
  Set(I first, I last) {
    this->AddAll(first, last);
  }
  template <typename... Args>
  auto emplace(Args&&... args) {
    K key(std::forward<Args>(args)...);
    return this->Add(key, std::move(key));
  }
};

template <typename K, typename V>
class Map : public Tree<K, std::pair<const K, V>> {
 public:
  using mapped_type = V;
  using Base = Tree<K, std::pair<const K, V>>;
  using Inserted = std::pair<typename Base::iterator, bool>;

  Map() = default;
  Map(std::initializer_list<std::pair<const K, V>> items) {
    this->AddAll(items.begin(), items.end());
  }
  template <typename I>
  Map(I first, I last) {
    this->AddAll(first, last);
  }
  V& operator[](const K& key) { return try_emplace(key).first->second; }
  // REQUIRES: there is one.
  const V& at(const typename Base::Sought& key) const { return this->find(key)->second; }
  V& at(const typename Base::Sought& key) { return this->find(key)->second; }
  template <typename... Args>
  Inserted try_emplace(const K& key, Args&&... args) {
    return this->Add(key, std::piecewise_construct, std::forward_as_tuple(key),
                     std::forward_as_tuple(std::forward<Args>(args)...));
  }
  template <typename... Args>
  Inserted emplace(const K& key, Args&&... args) {
    return try_emplace(key, std::forward<Args>(args)...);
  }
  template <typename T>
  Inserted insert_or_assign(const K& key, T&& value) {
    Inserted at = try_emplace(key);
    at.first->second = std::forward<T>(value);
    return at;
  }
};

template <typename K, typename Item>
inline constexpr bool kRelocatable<Tree<K, Item>> = true;
template <typename K>
inline constexpr bool kRelocatable<Set<K>> = true;
template <typename K, typename V>
inline constexpr bool kRelocatable<Map<K, V>> = true;

// Removes what the predicate is true of; says how many. Named as in std, so that one call serves
// all containers.
template <typename K, typename Item, typename Predicate>
size_t erase_if(Tree<K, Item>& tree, Predicate predicate) {  // NOLINT
  const size_t before = tree.size();
  for (auto at = tree.begin(); at != tree.end();) {
    if (predicate(*at)) {
      at = tree.erase(at);
    } else {
      ++at;
    }
  }
  return before - tree.size();
}

}  // namespace skerry

#endif  // SKERRY_BASE_MAP_H_
