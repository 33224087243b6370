// Where the rules of the application come from, and where they run.

import { limits } from './base/limits.ts';
import { ruleLimits } from './base/rule-limits.ts';
import { SetupError } from './base/setup-error.ts';
import type { ServerOptions } from './options.ts';
import { AppRules } from './rules/app-rules.ts';
import { type RuleAsker, rulesOf } from './rules/asker.ts';
import { OwnRules } from './rules/own-rules.ts';
import { RulesLink } from './rules/rules-link.ts';
import { loadSchemaModule } from './schema-module.ts';

/** Functions run in this process, and what a module exports in one of its own. Null: there are no rules. */
async function openAsker({
  schema,
  schemaModule,
  validate,
  ruleSeconds: seconds = ruleLimits.seconds,
  reducerMemory: memory = limits.reducerMemory,
}: ServerOptions): Promise<RuleAsker | null> {
  if (validate === false) return null;
  if (validate !== undefined && typeof validate !== 'function')
    throw new SetupError('`validate` is a function, or false.');
  if (schemaModule === undefined) {
    const rules = await rulesOf(schema, validate ?? null);
    if (validate !== undefined && !rules.any)
      throw new SetupError('`validate` needs `schema` to be the result of schema().');
    return rules.any ? new OwnRules(rules) : null;
  }
  if (validate !== undefined)
    throw new SetupError(
      '`validate` and `schemaModule` are both given: export `validate` from the module.',
    );
  const { url, module } = await loadSchemaModule(schemaModule);
  const own = typeof module.validate === 'function' ? (module.validate as never) : null;
  const rules = await rulesOf(module.default ?? module.app, own);
  if (!rules.any) return null;
  const link = new RulesLink({ module: url, memory, seconds });
  await link.start();
  return link;
}

/** Throws SetupError where the rules cannot be asked. */
export async function openRules(
  options: ServerOptions,
  log: (message: string, error: unknown) => void,
): Promise<AppRules | null> {
  const asker = await openAsker(options);
  return asker && new AppRules({ asker, log });
}
