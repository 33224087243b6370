import type { Stamps } from './stamps.mjs';
import type { Tree } from './tree.mjs';
import type { Unit } from './units.mjs';

/** Of vitest's TestModule, what the reporter reads. */
export interface ReportedModule {
  readonly moduleId: string;
  readonly project: { readonly name: string };
  meta(): { readonly opened?: readonly string[] };
  ok(): boolean;
  errors(): readonly unknown[];
  readonly children: {
    allTests(): Iterable<{ result(): { readonly state: string } }>;
  };
}

export class PassedReporter {
  readonly problems: string[];
  constructor(parts: { tree: Tree; stamps: Stamps; units: readonly Unit[]; began: number });
  onTestModuleEnd(module: ReportedModule): void;
  onTestRunEnd(modules: readonly unknown[], errors: readonly unknown[], reason: string): void;
}
