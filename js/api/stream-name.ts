/** The names of streams, as `db.stream` and the option `streams` of `open` take them, and those of their actions. */
import { ValidationError } from '../core/errors.ts';
import type { TypeRegistry } from '../core/special-json.ts';
import type { StreamItem } from '../core/window-core.ts';

const maxNameBytes = 128;

/** Text that a database can hold, of so many bytes of UTF-8. */
export function isName(name: unknown): name is string {
  if (typeof name !== 'string' || name === '' || name.isWellFormed?.() === false) return false;
  return !name.includes('\0') && new TextEncoder().encode(name).length <= maxNameBytes;
}

/** The name of one stream. */
export function checkName(name: unknown): void {
  // A path of a URL cannot end with `.` or `..`.
  if (isName(name) && !name.endsWith('*') && name !== '.' && name !== '..') return;
  throw new ValidationError(
    'invalid_argument',
    `A stream is named by 1 to ${maxNameBytes} bytes that do not end with *, and not by dots.`,
  );
}

/** An action as it is appended. Its `type` is its name, if that is a text. Throws where it cannot be encoded. */
export function itemOf(registry: TypeRegistry, action: unknown): StreamItem {
  const type = (action as { type?: unknown } | null | undefined)?.type;
  return {
    name: isName(type) ? type : 'skerry/append',
    arg: JSON.stringify(action === undefined ? null : registry.encode(action)),
  };
}

/** The option `streams` of `open`. */
export function checkWanted(names: unknown): void {
  if (Array.isArray(names) && names.every(isName)) return;
  throw new ValidationError(
    'invalid_argument',
    `\`streams\` is a list of names, or prefixes with *, of 1 to ${maxNameBytes} bytes.`,
  );
}
