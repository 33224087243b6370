// Asks the rules in the server's own process, where they are functions of the program that has started it: a process of their
// own could not have them. Neither their time nor their memory is bounded.

import type { RuleQuestion } from '../base/wire-types.ts';
import type { LoadedRules, RuleAsker, RuleReply } from './asker.ts';

export class OwnRules implements RuleAsker {
  readonly #rules: LoadedRules;

  constructor(rules: LoadedRules) {
    this.#rules = rules;
  }

  async answer(questions: readonly RuleQuestion[]): Promise<readonly RuleReply[]> {
    return questions.map((question) => this.#rules.answer(question));
  }

  async close(): Promise<void> {}
}
