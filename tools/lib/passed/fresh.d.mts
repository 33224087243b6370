export function isFresh(
  given: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): boolean;
