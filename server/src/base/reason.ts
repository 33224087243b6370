/** Why something failed, in a few words: `fetch` says only in its cause what has happened. */
export function reasonOf(error: unknown): string {
  const { message, code, cause } = error as { message?: string; code?: string; cause?: unknown };
  return cause instanceof Error ? reasonOf(cause) : message || code || String(error);
}
