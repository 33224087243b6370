// Written from src/base/limits.h by test/core/sync/host_limits_test.cc, which says how.
// What the members mean is said there.

export const maxBodyBytes = 8388608;
export const maxJsonDepth = 64;
export const maxRealmsPerUpdate = 100;
export const maxActionsPerUpdate = 1000;
export const maxCursors = 10000;
export const maxScopes = 1000;
export const maxFilterDepth = 8;
export const maxScopesCost = 4000;
export const maxScopesValues = 10000;
export const maxPatternCharacters = 200;
export const maxDiffParts = 200;
export const maxDiffRows = 20000;
export const maxPullEntries = 10000;
export const pageRows = 2000;
export const maxStreamScopes = 100;
export const maxNameBytes = 128;
export const maxUserBytes = 91;
export const maxIdBytes = 128;
export const maxObjectBytes = 1048576;
export const maxValueDepth = 56;
export const maxTimeMs = 8640000000000000;
