// What the application's code has thrown, as text.

const kReasonCharacters = 2_000;

/** What the application's code has thrown, in a text of bounded length. */
export function thrownText(error: unknown): string {
  try {
    const { stack, message } = error as { stack?: unknown; message?: unknown };
    return String(stack ?? message ?? error).slice(0, kReasonCharacters);
  } catch {
    return 'It threw a value that cannot be shown.';
  }
}
