// Realms that were a user's in a history that the database has lost, because it was restored from a backup.
//
// Such a realm may be founded again by anybody who knows its name. Clients give their rows back to it, so it is one and
// the same only if the token of the one who asks says that its founder had founded it before, or if its founder has
// shown by a token that the lost history had him as an owner. The server records that when the owner's client learns
// that the realm is lost (`recordOwners`), and then the client founds it. Until then the realm stays lost to those who
// have its rows, even if its founder invites them.

import { kNow } from '../db/clock.ts';
import type { Database, Queryable, Within } from '../db/database.ts';
import type { RealmClaims, RealmsTokens, Said } from './realms-token.ts';
import type { Caller, RealmRights, Rights } from './rights.ts';

export interface Answered {
  /** The realms that the client holds of a lost history: they are not revoked, and nothing of them is told. */
  readonly lost: readonly string[];
  /** Those of them that the user owned, which is not recorded yet. */
  readonly owned: readonly string[];
  /** A new token, which goes on to say what is lost; null if the client has the present one. */
  readonly token: string | null;
}

/** The realms of which a client says that it has rows. */
interface HeldRealms {
  readonly cursors: Readonly<Record<string, string>>;
  readonly lost?: readonly string[];
}

interface LostRealmsRequest {
  /** May be anything. */
  readonly realmsToken: unknown;
  readonly request: HeldRealms;
}

const kNoClaims: RealmClaims = { version: '', at: 0, realms: new Map(), lost: new Map() };

/** What of a token may be of a lost history: all, if this database would know its version, and does not. */
async function doubtful(
  tx: Queryable,
  tokens: RealmsTokens,
  user: string,
  { version, at, realms }: RealmClaims,
): Promise<ReadonlyMap<string, Said>> {
  const [row] = await tx.query<Record<'given' | 'young', string>>(
    `select exists (select 1 from skerry.rights_given g
                     where g.user_id = $1::text and g.version = $2::text)::text as given,
            ($3::text::bigint > ${kNow} - $4::text::bigint)::text as young`,
    [user, version, String(at), String(tokens.versionsMs)],
  );
  if (row?.given === 'true') return new Map();
  if (row?.young === 'true') return realms;
  // It may be forgotten, too (retention/rights.ts). No history of this database loses a realm.
  const founders = await foundersOf(tx, [...realms.keys()]);
  const taken = await takenOver(tx, tokens, realms);
  return new Map([...realms].filter(([realm]) => !founders.has(realm) || taken.has(realm)));
}

function held({ cursors, lost = [] }: HeldRealms): Set<string> {
  return new Set([...Object.keys(cursors), ...lost]);
}

/** Those of the realms that were founded after it was said who owned them, by a user who neither founded nor owned it before. */
async function takenOver(
  tx: Queryable,
  tokens: RealmsTokens,
  realms: ReadonlyMap<string, Said>,
): Promise<Set<string>> {
  if (realms.size === 0) return new Set();
  const rows = await tx.query<{ realm: string; founder: string; at: string }>(
    `select l.realm, l.user_id as founder, l.at::text as at from skerry.log l
      where l.realm = any(array(select k.realm from json_array_elements_text($1::text::json) as k(realm)))
        and l.revision = 1
        and not exists (select 1 from skerry.lost_owner o where o.realm = l.realm and o.user_id = l.user_id)`,
    [JSON.stringify([...realms.keys()])],
  );
  const taken = rows.filter(({ realm, founder, at }) => {
    const said = realms.get(realm) as Said;
    return Number(at) > said.at && !tokens.isFounder(said, realm, founder);
  });
  return new Set(taken.map(({ realm }) => realm));
}

/** Who founded each of these realms. */
async function foundersOf(tx: Queryable, realms: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.query<{ realm: string; founder: string }>(
    `select l.realm, l.user_id as founder from skerry.log l
      where l.realm = any(array(select k.realm from json_array_elements_text($1::text::json) as k(realm)))
        and l.revision = 1`,
    [JSON.stringify(realms)],
  );
  return new Map(rows.map(({ realm, founder }) => [realm, founder]));
}

/** Those of the realms of which the user is not recorded as an owner. */
async function unrecorded(
  tx: Queryable,
  user: string,
  realms: readonly string[],
): Promise<string[]> {
  if (realms.length === 0) return [];
  const rows = await tx.query<{ realm: string }>(
    `select k.realm from json_array_elements_text($1::text::json) as k(realm)
      where not exists (select 1 from skerry.lost_owner o where o.realm = k.realm and o.user_id = $2::text)`,
    [JSON.stringify(realms), user],
  );
  return rows.map(({ realm }) => realm);
}

/** Records that a token has shown the user to have owned these realms in a lost history. */
export async function recordOwners(
  database: Database,
  { id }: Caller,
  realms: readonly string[],
  within: Within,
): Promise<void> {
  if (realms.length === 0) return;
  await database.transaction({ mode: 'write', ...within }, (tx) =>
    tx.query(
      `insert into skerry.lost_owner (realm, user_id)
         select k.realm, $2::text from json_array_elements_text($1::text::json) as k(realm)
         on conflict do nothing`,
      [JSON.stringify(realms), id],
    ),
  );
}

/** Those of the realms of lost histories that the client holds, and that are not in this history, or taken over by somebody. */
async function lostRealms(
  tx: Queryable,
  tokens: RealmsTokens,
  said: ReadonlyMap<string, Said>,
  request: HeldRealms,
  readable: RealmRights,
): Promise<Map<string, Said>> {
  const holds = held(request);
  const realms = [...said].filter(([realm]) => holds.has(realm));
  const there = new Map(realms.filter(([realm]) => readable.has(realm)));
  const taken = await takenOver(tx, tokens, there);
  return new Map(realms.filter(([realm]) => !readable.has(realm) || taken.has(realm)));
}

/** What a pull answers to a realms token. `rights` and the versions are read in one snapshot. */
export async function answerToken(
  tx: Queryable,
  tokens: RealmsTokens,
  { id }: Caller,
  { realmsToken: token, request }: LostRealmsRequest,
  { readable, membership }: Rights,
): Promise<Answered> {
  const claims = (await tokens.read(id, token)) ?? kNoClaims;
  const isCurrent =
    claims !== kNoClaims &&
    membership !== null &&
    tokens.isCurrent(String(token), claims, membership);
  if (isCurrent && claims.lost.size === 0) return { lost: [], owned: [], token: null };
  const isOfThisHistory = claims === kNoClaims || claims.version === membership?.version;
  const realmsInDoubt = isOfThisHistory ? [] : await doubtful(tx, tokens, id, claims);
  // What was said first counts, of a realm that another has founded since.
  const said = new Map([...realmsInDoubt, ...claims.lost]);
  const lost = await lostRealms(tx, tokens, said, request, readable);
  const realms = [...lost.keys()];
  const owned = await unrecorded(
    tx,
    id,
    realms.filter((realm) => lost.get(realm)?.role === 'owner'),
  );
  const isSaid = isCurrent && lost.size === claims.lost.size;
  if (membership === null || isSaid) return { lost: realms, owned, token: null };
  const founders = await foundersOf(tx, [...membership.roles.keys()]);
  return { lost: realms, owned, token: await tokens.sign(id, membership, founders, lost) };
}
