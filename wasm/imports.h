// The host functions that the page's module imports: all of its imports (js/core/imports.ts).
#ifndef SKERRY_WASM_IMPORTS_H_
#define SKERRY_WASM_IMPORTS_H_

// Declares one, under the name by which it is imported.
#define SKERRY_IMPORT(name) extern "C" __attribute__((import_module("env"), import_name(#name)))

#endif  // SKERRY_WASM_IMPORTS_H_
