// The limits of what concerns other programs that write to the database.
import * as core from './core-limits.ts';

export const foreignLimits = {
  /** What another program may write in one transaction; the setting `skerry.max_rows` of its connection raises the rows. */
  rows: 100_000,
  realms: 1_000,
  /** An object's props as JSON, the depth of values of the types json and class, and the last time that is written, ms. */
  objectBytes: core.maxObjectBytes,
  valueDepth: core.maxValueDepth,
  lastTimeMs: core.maxTimeMs,
  /**
   * How long each transaction looks for locked rows after one was met, how long a push waits for them, and how long at first and at
   * most between two looks.
   */
  lookForLocksMs: 10_000,
  waitForRowsMs: 2_000,
  lookAgainMs: 25,
  lookAgainMostMs: 400,
  /** How often nodes look for entries of other programs, and for how long these are remembered for nodes that hang. */
  pollMs: 400,
  entriesMs: 600_000,
  /**
   * What other programs have written and still has consequences: how often it is looked for, rows, rows that refer to each, and
   * realms in one transaction, and when what is locked or has failed is tried again.
   */
  owedPollMs: 1_000,
  owedRows: 200,
  owedChildren: 2_000,
  owedRealms: 50,
  owedAgainMs: 5_000,
} as const;
