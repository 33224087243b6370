// The run time of Embind for the page's module, in place of Emscripten's own, which registers some
// thirty types with their JavaScript, and formats addresses with printf. The bindings here need one
// type, and register it themselves (skerry.cc).
#include <emscripten/bind.h>

#include <cstring>

extern "C" {

const char* __getTypeName(const std::type_info*) { return strdup("type"); }

static emscripten::internal::InitFunc* bindings = nullptr;

void _embind_register_bindings(emscripten::internal::InitFunc* binding) {
  binding->next = bindings;
  bindings = binding;
}

void _embind_initialize_bindings() {
  for (auto* binding = bindings; binding != nullptr; binding = binding->next) binding->init_func();
}
}
