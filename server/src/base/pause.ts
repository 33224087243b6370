// How often the server looks for what is older than the retention period.

import { limits } from './limits.ts';

/** How long to wait between two looks, ms. */
export function pauseOf(retentionMs: number): number {
  return Math.min(
    Math.max(retentionMs / 4, limits.retentionPauseLeastMs),
    limits.retentionPauseMostMs,
  );
}

/** How late the server may note that a client was heard from, ms: it need not write that with every push. */
export function heardOf(retentionMs: number): number {
  return retentionMs / 8;
}
