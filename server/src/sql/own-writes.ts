// How the server's own transactions differ from those of other programs.

/** How long a statement waits for a row that another program has locked, after the realms are locked; ms. */
const kRowWithinMs = 50;

// The mark of own writes, by which the triggers of the typed tables (capture/) know them: a setting of the transaction, with its id
// and the depth of triggers at which the writes happen. What a trigger of somebody else writes in the same transaction is deeper. A
// row counts as written by the server only if its revision has changed, too.
const kMark = `set_config('skerry.writer', pg_current_xact_id()::text || ' 0', true)`;

/** A condition: the transaction is one of the server's own, and does not log what others have written just now. */
export const kIsOwnWrite = `current_setting('skerry.writer', true) is not distinct from pg_current_xact_id()::text || ' 0'`;

/**
 * An expression that marks the writes of this transaction's own statements, and lets them wait for no row. It is evaluated once the
 * realms are locked.
 */
export const kWriteOwn = `${kMark} || set_config('lock_timeout', '${kRowWithinMs}', true)`;

/** An expression that marks everything that this transaction writes, whatever the revisions: tables are changed. */
export const kWriteAnything = `set_config('skerry.writer', pg_current_xact_id()::text || ' *', true)`;

/** The condition of a trigger: the row is written by another program. `revised`: that its revision has changed. */
export function isForeign(revised: string): string {
  return `((case current_setting('skerry.writer', true)
             when pg_current_xact_id()::text || ' ' || pg_trigger_depth()::text then ${revised}
             when pg_current_xact_id()::text || ' *' then true
             else false end) is not true)`;
}
