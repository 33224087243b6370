// Limits of comparisons (POST /v1/diff).

import * as core from './core-limits.ts';

export const diffLimits = {
  /** Parts of tables in one request, rows that they name one by one, and props of a part. */
  parts: core.maxDiffParts,
  listed: 3 * core.maxDiffRows,
  props: 10_000,
  /** What one request reads: rows and bytes, and for how long; the other parts are to be asked for again. */
  rows: core.maxDiffRows,
  bytes: 8 << 20,
  ms: 1_000,
} as const;
