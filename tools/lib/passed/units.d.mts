import type { Tree } from './tree.mjs';

export interface Unit {
  readonly project: string;
  readonly path: string;
  readonly files: readonly string[];
  readonly key: string;
}

export function testsOf(tree: Tree, project: string): string[];

export class Units {
  constructor(tree: Tree, facts: (project: string) => unknown);
  of(project: string, path: string): Unit;
  all(project: string): Unit[];
}
