# Makes CMake use the Emscripten that the set-up chose (tools/lib/emscripten.mjs wrote its path to the
# file below). So `cmake --preset wasm` works without emcmake and without a prepared environment.
set(choice ${CMAKE_CURRENT_LIST_DIR}/../.toolchain/emscripten.cmake)
if(NOT EXISTS ${choice})
  message(FATAL_ERROR "No Emscripten has been set up. Run `node tools/bootstrap.mjs`.")
endif()
include(${choice})
set(EMSCRIPTEN_ROOT_PATH ${SKERRY_EMSCRIPTEN_ROOT})
include(${SKERRY_EMSCRIPTEN_ROOT}/cmake/Modules/Platform/Emscripten.cmake)
