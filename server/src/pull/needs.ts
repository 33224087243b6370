// What the authority asks for before it answers a pull (docs/authority.md).
import type { StreamRange } from '../stream/actions.ts';

export interface EntryNeed {
  readonly realm: string;
  readonly from: number;
  readonly limit: number;
  /** Only the entries of this client. */
  readonly client: string | null;
}

export interface ChangeNeed {
  readonly realm: string;
  readonly from: number;
  /** Changes of other tables are not needed. */
  readonly tables: readonly string[];
  /** The changes of these are needed up to the head. */
  readonly toHead: readonly string[];
}

export interface PageNeed {
  readonly table: string;
  readonly where: unknown;
  readonly above: string;
  readonly realms: readonly string[];
  readonly limit: number;
}

export interface RowNeed {
  readonly realm: string;
  readonly table: string;
  readonly id: string;
  readonly after: number;
}

/** Outer rows of a sub-select: those whose prop has one of the values. */
export interface CandidateNeed {
  readonly realm: string;
  readonly table: string;
  readonly prop: string;
  readonly values: readonly unknown[];
}

/** Which of the values a sub-select selects, by rows that have not changed above a revision. */
export interface SelectedNeed {
  readonly realm: string;
  readonly table: string;
  readonly select: string;
  readonly where: unknown;
  readonly values: readonly unknown[];
  readonly upto: number;
}

export interface Needs {
  readonly streams?: readonly StreamRange[];
  readonly entries?: readonly EntryNeed[];
  readonly changes?: readonly ChangeNeed[];
  readonly own?: readonly string[];
  readonly actions?: readonly string[];
  readonly state?: readonly { readonly realm: string; readonly tables: readonly string[] }[];
  readonly pages?: readonly PageNeed[];
  readonly images?: readonly { readonly realm: string }[];
  readonly rows?: readonly RowNeed[];
  readonly candidates?: readonly CandidateNeed[];
  readonly selected?: readonly SelectedNeed[];
}
