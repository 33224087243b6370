// The process of the rules: it imports the schema module again, and asks the rules that it has (rules-link.ts is the other side).

import type { RuleQuestion } from '../base/wire-types.ts';
import type { ChildOptions } from '../process/child-link.ts';
import { serveParent } from '../process/serve-parent.ts';
import { rulesOf, type ServerRule } from './asker.ts';

serveParent(import.meta.url, async ({ module: href }: ChildOptions) => {
  const module = (await import(href)) as Record<string, unknown>;
  const rule = typeof module.validate === 'function' ? (module.validate as ServerRule) : null;
  const rules = await rulesOf(module.default ?? module.app, rule);
  return (questions: readonly RuleQuestion[]) =>
    questions.map((question) => rules.answer(question));
});
