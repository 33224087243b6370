// The server's side of the process of the rules (rules-process.ts). If it ends over an action, that action is at fault.

import { ruleLimits } from '../base/rule-limits.ts';
import type { RuleQuestion } from '../base/wire-types.ts';
import { ChildLink } from '../process/child-link.ts';
import { type RuleAsker, RuleGone, type RuleReply, RulesAway } from './asker.ts';

export interface RulesLinkOptions {
  readonly module: URL;
  /** MB of the heap. */
  readonly memory: number;
  /** The time for each action. */
  readonly seconds: number;
}

export class RulesLink implements RuleAsker {
  readonly #link: ChildLink<readonly RuleQuestion[], readonly RuleReply[]>;
  /** The process is asked for one thing at a time, and several commits may be under way. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RulesLinkOptions) {
    this.#link = new ChildLink({
      ...options,
      file: 'rules-process',
      gone: (_reason, detail) => new RuleGone(`A rule cannot answer: ${detail}.`),
      away: (message, cause) => new RulesAway(message, cause),
      // Others wait for each start, so it stays.
      idleMs: null,
    });
  }

  /** Throws RulesAway if the process cannot start. */
  start(): Promise<void> {
    return this.#link.start();
  }

  async answer(questions: readonly RuleQuestion[]): Promise<readonly RuleReply[]> {
    try {
      return await this.#ask(questions);
    } catch (error) {
      if (!(error instanceof RuleGone)) throw error;
      if (questions.length === 1) return [this.#failed(questions[0] as RuleQuestion, error)];
      return this.#oneByOne(questions);
    }
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  #ask(questions: readonly RuleQuestion[]): Promise<readonly RuleReply[]> {
    const asked = this.#last.then(async () => {
      await this.#link.start();
      return this.#link.ask(questions);
    });
    // Whoever comes next has nothing to do with how it ends.
    this.#last = asked.catch(() => {});
    return asked;
  }

  /** To find out over which ones the process ends: they may be of several clients. */
  async #oneByOne(questions: readonly RuleQuestion[]): Promise<readonly RuleReply[]> {
    const replies: RuleReply[] = [];
    for (const question of questions) replies.push(...(await this.answer([question])));
    return replies;
  }

  #failed({ place }: RuleQuestion, error: RuleGone): RuleReply {
    return { place, failed: error.message.slice(0, ruleLimits.detailCharacters) };
  }
}
