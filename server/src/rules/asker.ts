// Who asks the rules of the application: in a process of their own (rules-link.ts), or in this one (own-rules.ts).

import type { RuleAnswer, RuleQuestion } from '../base/wire-types.ts';

export type RuleReply = Partial<RuleAnswer> & Pick<RuleAnswer, 'place'>;

export interface RuleAsker {
  /** In their order. Throws RulesAway where the rules cannot be asked at all. */
  answer(questions: readonly RuleQuestion[]): Promise<readonly RuleReply[]>;
  close(): Promise<void>;
}

/** No action is at fault: the rules cannot run. */
export class RulesAway extends Error {}

/** The process has ended over an action. */
export class RuleGone extends Error {}

/** A rule of the server alone. */
// biome-ignore lint/suspicious/noExplicitAny: the application's own tables and actions
export type ServerRule = (change: any, reader: any) => unknown;

/** `Rules` of the package `skerry`. */
export interface LoadedRules {
  readonly any: boolean;
  answer(question: RuleQuestion): RuleReply;
}

interface RulesModule {
  readonly Rules: new (
    schema: unknown,
    rule: ServerRule | null,
    host: { mono(): number; warn(message: string): void },
  ) => LoadedRules;
}

/** The rules of a schema, by the copy of the package that the server finds. */
export async function rulesOf(schema: unknown, rule: ServerRule | null): Promise<LoadedRules> {
  const { Rules } = (await import('skerry/rules')) as unknown as RulesModule;
  return new Rules(schema, rule, {
    mono: () => performance.now(),
    warn: (message) => console.warn(message),
  });
}
