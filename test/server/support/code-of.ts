import { expect } from 'vitest';
import { Problem } from '../../../server/src/base/problem.ts';

/** The code of the Problem that the work rejects with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Problem);
  return (error as Problem).code;
}
