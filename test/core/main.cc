// The entry point of the native tests, and the one place where doctest's implementation is
// compiled.

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "doctest/doctest.h"
