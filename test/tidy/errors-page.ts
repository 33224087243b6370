// docs/errors.md, as it is made of js/core/error-codes.ts.
import { type CodeEntry, errorCodes } from '../../js/core/error-codes.ts';

export const codes: ReadonlyMap<string, CodeEntry> = new Map(Object.entries(errorCodes));

/** The classes of a code's errors. */
export function typesOf({ type }: CodeEntry): readonly string[] {
  return typeof type === 'string' ? [type] : type;
}

const head = `# Errors

Every error of this package has a \`code\`, which is stable and meant for programs, and a message for people. This page is generated from
\`js/core/error-codes.ts\`. [stuck.md](stuck.md) says which of these codes the status shows, in which phase, and what resolves each.

*Retry*: whether the same call may succeed later (\`error.retryable\`). A server that is newer than the package may give other codes.

| code | class | retry | what has happened | what to do |
|---|---|---|---|---|
`;

export function errorsPage(): string {
  const again = { yes: 'yes', no: 'no', varies: '`retryable`' };
  const rows = [...codes].map(([code, entry]) => {
    const types = typesOf(entry).map((type) => `\`${type}\``);
    return `| \`${code}\` | ${types.join(', ')} | ${again[entry.retryable]} | ${entry.what} | ${entry.todo} |\n`;
  });
  return head + rows.join('');
}
