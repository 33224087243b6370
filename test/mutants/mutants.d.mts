export interface Mutant {
  readonly name: string;
  /** Relative to the root. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}
export const mutants: readonly Mutant[];
/** Throws where the place is not there, or not once. */
export function mutated(text: string, mutant: Mutant): string;
