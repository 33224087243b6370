// The rules of the application, as pushes ask them. A rule that fails over an action is asked again when its client pushes again,
// for a while. Then the action is refused, so that it does not hold up what its author does after it for ever.

import { LruMap } from '../base/lru-map.ts';
import { ruleLimits } from '../base/rule-limits.ts';
import type { RuleQuestion } from '../base/wire-types.ts';
import { type RuleAsker, type RuleReply, RulesAway } from './asker.ts';

interface Failure {
  /** ms, by performance.now(). */
  readonly since: number;
  readonly last: number;
  readonly detail: string;
}

export interface AppRulesOptions {
  readonly asker: RuleAsker;
  readonly log: (message: string, error: unknown) => void;
  readonly now?: () => number;
}

export class AppRules {
  readonly #asker: RuleAsker;
  readonly #log: AppRulesOptions['log'];
  readonly #now: () => number;
  /** By the action's id. */
  readonly #failures = new LruMap<Failure>(ruleLimits.failures);

  constructor({ asker, log, now = () => performance.now() }: AppRulesOptions) {
    this.#asker = asker;
    this.#log = log;
    this.#now = now;
  }

  /** In their order. */
  async answer(questions: readonly RuleQuestion[]): Promise<readonly RuleReply[]> {
    const known = questions.map((question) => this.#withoutAsking(question));
    const due = questions.filter((_, i) => known[i] === null);
    const answers = due.length === 0 ? [] : await this.#ask(due);
    let next = 0;
    return known.map((answer) => answer ?? (answers[next++] as RuleReply));
  }

  close(): Promise<void> {
    return this.#asker.close();
  }

  #withoutAsking({ place, action }: RuleQuestion): RuleReply | null {
    const failure = this.#failures.get(idOf(action));
    if (failure === undefined) return null;
    const { since, last, detail } = failure;
    const now = this.#now();
    if (now - since >= ruleLimits.failureMs)
      return { place, problems: [{ code: 'internal', message: detail }] };
    return now - last < ruleLimits.retryMs ? { place, failed: detail } : null;
  }

  async #ask(questions: readonly RuleQuestion[]): Promise<readonly RuleReply[]> {
    try {
      const answers = await this.#asker.answer(questions);
      for (const [i, question] of questions.entries()) this.#note(question, answers[i]);
      return answers;
    } catch (error) {
      if (!(error instanceof RulesAway)) throw error;
      this.#log('The rules of the application cannot be asked: pushes wait.', error);
      return questions.map(({ place }) => ({ place, failed: 'The rules cannot be asked now.' }));
    }
  }

  #note({ action }: RuleQuestion, answer: RuleReply | undefined): void {
    const id = idOf(action);
    const failure = this.#failures.get(id);
    if (answer?.failed === undefined) {
      if (failure !== undefined && answer?.reads === undefined) this.#failures.delete(id);
      return;
    }
    const now = this.#now();
    if (failure === undefined)
      this.#log(`A rule of the application failed over the action ${id}.`, answer.failed);
    this.#failures.use(id, { since: failure?.since ?? now, last: now, detail: answer.failed });
  }
}

function idOf(action: RuleQuestion['action']): string {
  return String((action as { readonly id?: unknown }).id);
}
