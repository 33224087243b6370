export interface Mutant {
  readonly name: string;
  /** What is built, and which tests are run. */
  readonly kind: 'core' | 'server' | 'client';
  /** Of the kinds `server` and `client`: the file of tests that has to notice. */
  readonly test?: string;
  /** Of the kind `server`: the project of vitest that runs it; `server-postgres` by default. */
  readonly project?: 'server';
  /** Of the kind `core`: the hole of docs/design.md whose script (test/spec) has to notice. None: any test may. */
  readonly hole?: number;
  /** Relative to the root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}
export const mutants: readonly Mutant[];
/** Throws where the place is not there, or not once. */
export function mutated(text: string, mutant: Mutant): string;
