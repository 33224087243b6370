// Limits of the rules of the application.

export const ruleLimits = {
  /** For the actions of one question, in seconds. */
  seconds: 5,
  /** ms until an action by which they failed is asked about again, and until it is refused. */
  retryMs: 20_000,
  failureMs: 600_000,
  /** So many such actions are remembered. */
  failures: 10_000,
  /** Of what is said of one. */
  detailCharacters: 1_000,
} as const;
