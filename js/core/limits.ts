// Written from src/base/limits.h and src/sync/times.h by test/core/sync/host_limits_test.cc, which says how.
// What the members mean is said there.

export const maxBodyBytes = 8388608;
export const imageFileBytes = 4194304;
export const maxImageBytes = 1073741824;
export const maxUserBytes = 91;
export const tokenMs = 20000;
