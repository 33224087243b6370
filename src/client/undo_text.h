// The undo and redo steps of a window as text, which JavaScript keeps while the page is loaded again
// (docs/guide/undo.md). The text may be damaged, or of somebody's making: all of it is checked.
#ifndef SKERRY_CLIENT_UNDO_TEXT_H_
#define SKERRY_CLIENT_UNDO_TEXT_H_

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "client/undo_stack.h"
#include "model/schema.h"

namespace skerry {

// The steps that come next, as many as kMaxUndoTextBytes hold. None if there is nothing to undo or to
// redo. `user`: none is not the same as any.
std::optional<std::string> WriteUndo(const Schema& schema, const std::optional<std::string>& user,
                                     const UndoStack& stack);

// Adds the steps of such a text to an empty stack. It is refused as a whole if it is of another
// schema or user (kVersion), or if anything in it is wrong; the stack is empty then.
Status ReadUndo(const Schema& schema, const std::optional<std::string>& user, std::string_view text,
                UndoStack* stack);

}  // namespace skerry

#endif  // SKERRY_CLIENT_UNDO_TEXT_H_
