// The rounds of one admission (docs/authority.md, section 3): the authority asks for rows, or what the rules of the application
// answer, until it has decided.

import type { RowNeeds, RuleQuestion } from '../base/wire-types.ts';
import type { Spent } from '../db/database.ts';
import type { StepCall } from './authority.ts';

const kRounds = 300;

export interface AdmissionSources {
  /** What it needs, as the text of the next step. */
  readonly read: (needs: RowNeeds) => Promise<string>;
  /** Null: there are no rules. */
  readonly rules: { answer(questions: readonly RuleQuestion[]): Promise<unknown> } | null;
  /** Is told what the rules take, ms. */
  readonly spent?: Spent | undefined;
}

/** More realms must be locked, in a transaction of its own. */
export interface MoreRealms {
  readonly lock: readonly string[];
}

/** `lists`: the lines after the decision, which are written as they are. */
export interface Decided<Done> {
  readonly done: Done;
  readonly lists: readonly string[];
}

/** What a step answers: one of these. */
interface Answer<Done> {
  readonly needs?: RowNeeds;
  readonly lock?: readonly string[];
  readonly rules?: readonly RuleQuestion[];
  readonly done?: Done;
}

/** `first`: the text of the first step. */
export async function admit<Done>(
  step: StepCall,
  first: string,
  { read, rules, spent }: AdmissionSources,
): Promise<Decided<Done> | MoreRealms> {
  let text = first;
  for (let round = 0; round < kRounds; round++) {
    const [head = '', ...lists] = (await step(text)).split('\n');
    const answer = JSON.parse(head) as Answer<Done>;
    if (answer.done) return { done: answer.done, lists };
    if (answer.lock) return { lock: answer.lock };
    if (answer.rules) {
      if (rules === null) throw new Error('The authority asks rules that there are not.');
      const from = performance.now();
      text = JSON.stringify({ rules: await rules.answer(answer.rules) });
      spent?.(performance.now() - from);
      // Their number is bounded by that of the actions, and of their reads.
      round--;
      continue;
    }
    if (!answer.needs) throw new Error('The authority returned an answer of an unknown form.');
    text = await read(answer.needs);
  }
  throw new Error('The authority did not finish.');
}
