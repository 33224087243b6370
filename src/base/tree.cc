#include "base/tree.h"

namespace skerry {
namespace {

// Priorities only have to be unrelated to keys; the generator is Marsaglia's xorshift32 (Xorshift
// RNGs, Journal of Statistical Software 8, 2003). The order of a tree does not depend on them.
uint32_t NextPriority() {
  static thread_local uint32_t state = 2463534242u;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

void DestroyBelow(TreeNode* node, RawTree::Destroy destroy) {
  while (node != nullptr) {
    DestroyBelow(node->left, destroy);
    TreeNode* const right = node->right;
    destroy(node);
    node = right;
  }
}

}  // namespace

TreeNode* RawTree::Find(const void* sought, Compare compare, Place* place) const {
  *place = {nullptr, false};
  for (TreeNode* node = root; node != nullptr;) {
    const int compared = compare(sought, node);
    if (compared == 0) return node;
    *place = {node, compared > 0};
    node = compared > 0 ? node->right : node->left;
  }
  return nullptr;
}

TreeNode* RawTree::Bound(const void* sought, Compare compare, bool after) const {
  TreeNode* bound = nullptr;
  for (TreeNode* node = root; node != nullptr;) {
    const int compared = compare(sought, node);
    if (compared > 0 || (after && compared == 0)) {
      node = node->right;
    } else {
      bound = node;
      node = node->left;
    }
  }
  return bound;
}

// In the place that `node` has under its parent.
void RawTree::Replace(TreeNode* node, TreeNode* by) {
  TreeNode* const parent = node->parent;
  if (parent == nullptr) {
    root = by;
  } else if (parent->left == node) {
    parent->left = by;
  } else {
    parent->right = by;
  }
  if (by != nullptr) by->parent = parent;
}

// Lifts the child above its parent.
void RawTree::Rotate(TreeNode* child) {
  TreeNode* const parent = child->parent;
  Replace(parent, child);
  TreeNode* inner;
  if (parent->left == child) {
    inner = child->right;
    child->right = parent;
    parent->left = inner;
  } else {
    inner = child->left;
    child->left = parent;
    parent->right = inner;
  }
  if (inner != nullptr) inner->parent = parent;
  parent->parent = child;
}

void RawTree::Insert(TreeNode* node, const Place& place) {
  *node = {nullptr, nullptr, place.parent, NextPriority()};
  if (place.parent == nullptr) {
    root = node;
  } else if (place.right) {
    place.parent->right = node;
  } else {
    place.parent->left = node;
  }
  while (node->parent != nullptr && node->parent->priority < node->priority) Rotate(node);
  ++size;
}

void RawTree::Remove(TreeNode* node) {
  while (node->left != nullptr && node->right != nullptr) {
    Rotate(node->left->priority > node->right->priority ? node->left : node->right);
  }
  Replace(node, node->left != nullptr ? node->left : node->right);
  --size;
}

void RawTree::Clear(Destroy destroy) {
  // Empty first: what is destroyed may look at the tree.
  TreeNode* const all = root;
  root = nullptr;
  size = 0;
  DestroyBelow(all, destroy);
}

TreeNode* RawTree::First() const {
  TreeNode* node = root;
  while (node != nullptr && node->left != nullptr) node = node->left;
  return node;
}

TreeNode* RawTree::Last() const {
  TreeNode* node = root;
  while (node != nullptr && node->right != nullptr) node = node->right;
  return node;
}

TreeNode* RawTree::Next(TreeNode* node) {
  if (node->right != nullptr) {
    node = node->right;
    while (node->left != nullptr) node = node->left;
    return node;
  }
  TreeNode* parent = node->parent;
  while (parent != nullptr && parent->right == node) {
    node = parent;
    parent = node->parent;
  }
  return parent;
}

}  // namespace skerry
