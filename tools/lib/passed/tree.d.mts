export class Tree {
  readonly root: string;
  constructor(root: string);
  isFile(path: string): boolean;
  text(path: string): string;
  hash(path: string): string;
  below(path: string): string[];
  key(name: string, facts: unknown, files: readonly string[]): string;
  changedSince(files: readonly string[], ms: number): boolean;
}
