export interface Passed {
  readonly passed: number;
  readonly skipped?: number;
}

export class Stamps {
  readonly folder: string;
  constructor(folder: string);
  get(key: string): Passed | undefined;
  put(key: string, record: Passed): void;
  take(key: string): void;
  prune(most?: number, now?: number): void;
}
