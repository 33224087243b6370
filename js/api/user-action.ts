/** What the user did, as the inbox and undo show it. */
import type { ShownAction } from '../core/core-types.ts';
import { keepDate, keepMember } from '../core/mutable-copy.ts';
import type { SchemaCodec } from '../core/values.ts';

export interface UserAction {
  readonly id: string;
  /** The mutator's name, or `skerry/transact`. */
  readonly name: string;
  /** The mutator's argument. */
  readonly arg: unknown;
  readonly at: Date;
}

/** Null if its record is damaged. */
export function userAction(
  { registry }: Pick<SchemaCodec, 'registry'>,
  { id, name, arg, at }: ShownAction,
): UserAction | null {
  let value: unknown;
  try {
    // Without an argument the text is empty.
    value = registry.decode(JSON.parse(arg || 'null'));
  } catch {
    return null; // The type says so, and an entry of the inbox stays.
  }
  const action = { id, name } as UserAction;
  keepMember(action, 'arg', value);
  keepDate(action, 'at', at);
  return Object.freeze(action);
}
