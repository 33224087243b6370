// RawTree: the part of an ordered map that does not depend on what is in it, written once. A treap
// (Seidel and Aragon, Randomized search trees, Algorithmica 16, 1996): ordered by key, a heap by
// random priorities, so that paths are O(log n) whatever the order of insertions.
#ifndef SKERRY_BASE_TREE_H_
#define SKERRY_BASE_TREE_H_

#include <cstdint>

namespace skerry {

struct TreeNode {
  TreeNode* left;
  TreeNode* right;
  TreeNode* parent;  // null: the root
  uint32_t priority;
};

// Nodes belong to who uses the tree. Moving the object by its bytes is allowed: no node points to
// it.
struct RawTree {
  // Below 0 where what is sought comes before the node, above 0 where behind it.
  using Compare = int (*)(const void* sought, const TreeNode* node);
  using Destroy = void (*)(TreeNode* node);
  // Where a new node belongs: under `parent`, or as the root where that is null.
  struct Place {
    TreeNode* parent;
    bool right;
  };

  TreeNode* root = nullptr;
  uint32_t size = 0;

  // The node that is equal, or null; then `place` is where it would be.
  TreeNode* Find(const void* sought, Compare compare, Place* place) const;
  // The first node that does not come before what is sought (`after`: that comes behind it), or
  // null.
  TreeNode* Bound(const void* sought, Compare compare, bool after) const;
  void Insert(TreeNode* node, const Place& place);
  void Remove(TreeNode* node);
  void Clear(Destroy destroy);
  TreeNode* First() const;
  TreeNode* Last() const;
  static TreeNode* Next(TreeNode* node);

 private:
  void Rotate(TreeNode* child);
  void Replace(TreeNode* node, TreeNode* by);
};

}  // namespace skerry

#endif  // SKERRY_BASE_TREE_H_
