import type { Tree } from './tree.mjs';

export interface CoreUnit {
  readonly path: string;
  readonly files: readonly string[];
  readonly key: string;
}

export class CoreUnits {
  constructor(tree: Tree, facts: unknown);
  closure(source: string): string[];
  tests(preset: string): CoreUnit[];
  simulator(preset: string, args: readonly string[]): CoreUnit;
}
