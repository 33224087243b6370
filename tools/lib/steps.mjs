// The steps of a check: each is named, timed and counted, every step runs even if an earlier one failed, and the last lines
// are the count over all of them, and the failures.

import { failuresOfText } from './failures.mjs';
import { SetupError, seconds } from './run.mjs';

export class Steps {
  /** Of each step: { name, ms, passed, failed, skipped, before, texts }; `texts` are those of its failures. */
  results = [];

  /** Runs a step that counts tests; a throw counts as one failure. `before`: how many had passed before and were not run. */
  async counted(name, work) {
    console.log(`\n▸ ${name}`);
    const start = performance.now();
    let counts;
    try {
      counts = await work();
    } catch (error) {
      const problem = error instanceof SetupError ? error.message : String(error.stack ?? error);
      console.log(problem);
      counts = { passed: 0, failed: 1, skipped: 0, texts: failuresOfText(problem) };
    }
    const ms = performance.now() - start;
    this.results.push({ name, ms, before: 0, ...counts });
    console.log(`  ${counts.failed ? '✗' : '✓'} ${name} (${seconds(ms)})`);
  }

  /** Runs a step that passes or fails as a whole; `work` returns the text of the problem, or nothing. */
  check(name, work) {
    return this.counted(name, async () => {
      const problem = await work();
      if (!problem) return { passed: 1, failed: 0, skipped: 0 };
      console.log(problem);
      return { passed: 0, failed: 1, skipped: 0, texts: failuresOfText(problem) };
    });
  }

  /** Prints the count, and the failures again. Returns whether all passed. */
  summarise() {
    console.log('\n');
    const width = Math.max(...this.results.map(({ name }) => name.length));
    const total = { passed: 0, failed: 0, skipped: 0, before: 0 };
    for (const result of this.results) {
      const mark = result.failed ? '✗' : '✓';
      const time = seconds(result.ms).padStart(12);
      console.log(`${mark} ${result.name.padEnd(width)}  ${time}  ${countsText(result)}`);
      for (const key of Object.keys(total)) total[key] += result[key];
    }
    console.log(`\n${countsText(total)}`);
    for (const { name, failed, texts } of this.results) {
      if (failed) console.log([`\n✗ ${name}`, ...(texts ?? [])].join('\n\n'));
    }
    return total.failed === 0;
  }
}

/** What had passed before is counted among what passed, and named. */
export function countsText({ passed, failed, skipped, before }) {
  const named = before ? ` (${before} before)` : '';
  const skips = skipped ? `, ${skipped} skipped` : '';
  return `${passed + before} passed${named}, ${failed} failed${skips}`;
}
