// Realms that were a user's in a history that the database has lost, because it was restored from a backup.

import type { Queryable } from '../db/database.ts';
import type { RealmsTokens } from './realms-token.ts';
import type { Caller, Rights } from './rights.ts';

export interface Answered {
  /** The realms of the request's cursors that are of a lost history: these are not revoked. */
  readonly lost: readonly string[];
  /** A new token; null if the client has the present one, or must keep the one that says what is lost. */
  readonly token: string | null;
}

/** Whether this database has ever given the version to the user. */
async function wasGiven(tx: Queryable, user: string, version: string): Promise<boolean> {
  const [row] = await tx.query<{ given: string }>(
    `select exists (select 1 from skerry.rights_given g
      where g.user_id = $1::text and g.version = $2::text)::text as given`,
    [user, version],
  );
  return row?.given === 'true';
}

/** What a pull answers to a realms token. `rights` and the versions are read in one snapshot. */
export async function answerToken(
  tx: Queryable,
  tokens: RealmsTokens,
  { id }: Caller,
  { realmsToken: token, request }: { readonly realmsToken: unknown; readonly request: string },
  { readable, membership }: Rights,
): Promise<Answered> {
  const claims = await tokens.read(id, token);
  const isCurrent =
    claims !== null && membership !== null && tokens.isCurrent(String(token), claims, membership);
  if (isCurrent) return { lost: [], token: null };
  const isOfThisHistory =
    claims === null ||
    claims.version === membership?.version ||
    (await wasGiven(tx, id, claims.version));
  if (!isOfThisHistory) {
    const { cursors } = JSON.parse(request) as { cursors: Readonly<Record<string, unknown>> };
    const lost = claims.realms.filter(
      (realm) => !readable.has(realm) && Object.hasOwn(cursors, realm),
    );
    // A client that goes on to ask for them goes on to have this token, so that they are not revoked later.
    if (lost.length > 0) return { lost, token: null };
  }
  return { lost: [], token: membership === null ? null : await tokens.sign(id, membership) };
}
