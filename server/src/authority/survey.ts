// What updates name, as the authority says it (docs/authority.md, section 3): by the predicates of its rules, so that this
// server reads no op.

export type { NamedMember, NamedStream, Survey } from '../base/wire-types.ts';

/** A pushed update as JSON text, and who pushes it. */
export interface SubmittedUpdate {
  readonly user: { readonly id: string };
  readonly text: string;
  /** The client is of an earlier release: what has no place in the schema is left out. */
  readonly older?: boolean;
}
