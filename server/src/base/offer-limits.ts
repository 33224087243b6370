// Limits of what clients give back to a restored server (POST /v1/offer).

export const offerLimits = {
  /** Rows of one request. A client sends 500. */
  rows: 1_000,
  /** Changes of a row since the common point that are read; of a row with more, nothing is taken. */
  changes: 100,
  /** Entries that the log is asked to have. A client names two. */
  given: 16,
};
