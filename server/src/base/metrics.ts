// Counts since this process has started, for GET /v1/metrics: in the text format of Prometheus, which adds up nodes and restarts.

import { Counts } from './counts.ts';

/** By name, what each counts. */
const kCounters = {
  unmet_restricts: 'Refs with the rule restrict whose target another program has deleted.',
  mended_rows: 'Rows in which a client differed from the database.',
  restored_rows: 'Rows that a restored database had lost and clients have given back.',
} as const;

export class Metrics {
  readonly #counts = new Counts();

  count(name: keyof typeof kCounters, by: number): void {
    this.#counts.add(name, by);
  }

  of(name: keyof typeof kCounters): number {
    return this.#counts.of(name);
  }

  text(): string {
    const lines = Object.entries(kCounters).flatMap(([name, what]) => [
      `# HELP skerry_${name}_total ${what}`,
      `# TYPE skerry_${name}_total counter`,
      `skerry_${name}_total ${this.#counts.of(name)}`,
    ]);
    return `${lines.join('\n')}\n`;
  }
}
