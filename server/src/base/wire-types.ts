// Written from src/log/wire by test/core/log/wire_types_test.cc, which says how.
// What the members mean is said there.

export interface Former {
  readonly client: string;
  readonly seen: Readonly<Record<string, number>>;
}

export interface PushRequest {
  readonly client: string;
  readonly schema: number;
  readonly epoch: number;
  readonly seen: Readonly<Record<string, number>>;
  readonly follows?: Former;
  readonly sent?: Readonly<Record<string, number>>;
  readonly updates: unknown;
}

export type PushStatus =
  | 'applied'
  | 'duplicate'
  | 'rejected'
  | 'forked'
  | 'unknown_client'
  | 'held'
  | 'regrouped'
  | 'known';

export interface DroppedOp {
  readonly op: number;
  readonly props?: readonly string[];
}

export interface PushRejection {
  readonly op?: number;
  readonly actions: readonly string[];
  readonly code: string | null;
  readonly detail: string;
}

export interface PushResult {
  readonly id: string;
  readonly status: PushStatus;
  readonly revisions?: Readonly<Record<string, number>>;
  readonly at?: number;
  readonly noops?: readonly number[];
  readonly gone?: readonly number[];
  readonly missing?: readonly number[];
  readonly dropped?: readonly DroppedOp[];
  readonly notAppended?: readonly number[];
  readonly rejected?: readonly PushRejection[];
  readonly known?: Readonly<Record<string, number | Readonly<Record<string, number>>>>;
}

export interface PushAnswer {
  readonly time: number;
  readonly results: readonly PushResult[] | null;
}

export interface PulledScope {
  readonly table: string;
  readonly where: unknown;
  readonly filled: boolean | string;
}

export interface PulledStream {
  readonly stream: string;
  readonly filled: Readonly<Record<string, number>>;
  readonly last?: number;
  readonly version: number | null;
  readonly migrates?: boolean;
}

export interface PullRequest {
  readonly client: string;
  readonly schema: number | null;
  readonly cursors: Readonly<Record<string, string>>;
  readonly realmsToken: string | null;
  readonly have: readonly string[];
  readonly seen: Readonly<Record<string, number>>;
  readonly scopes: readonly PulledScope[];
  readonly limit: number;
  readonly refill: boolean;
  readonly streams?: readonly PulledStream[];
  readonly lost?: readonly string[];
  readonly given?: Readonly<Record<string, string>>;
  readonly known?: readonly string[];
  readonly floors?: boolean;
  readonly images?: boolean;
  readonly partial?: boolean;
}

export interface OwnEntry {
  readonly revision: number;
  readonly at: number;
  readonly gone?: readonly number[];
  readonly missing?: readonly number[];
  readonly dropped?: readonly DroppedOp[];
  readonly notAppended?: readonly number[];
}

export interface Image {
  readonly realm: string;
  readonly revision: number;
  readonly at: number;
  readonly epoch: string;
  readonly hash: string;
  readonly bytes: number;
  readonly url: string;
}

export interface Page {
  readonly table: string;
  readonly where: unknown;
  readonly above: string;
  readonly upto: string | null;
  readonly realms: readonly string[];
  readonly ids: readonly string[];
}

export interface Snapshot {
  readonly version: number;
  readonly revision: number;
  readonly hash: string;
}

export interface StreamEntry {
  readonly realm: string;
  readonly stream: string;
  readonly revision: number;
  readonly actions: unknown;
  readonly snapshot?: Snapshot;
}

export interface StreamFilled {
  readonly stream: string;
  readonly filled: Readonly<Record<string, number>>;
  readonly from?: Readonly<Record<string, number>>;
}

export interface Scope {
  readonly table: string;
  readonly where: unknown;
}

export interface Place {
  readonly revision: number;
  readonly at: number;
}

export interface PullAnswer {
  readonly time: number;
  readonly cursors: Readonly<Record<string, string>>;
  readonly more: boolean;
  readonly own: Readonly<Record<string, Readonly<Record<string, OwnEntry>>>>;
  readonly revoked: readonly string[];
  readonly fills: readonly (Image | Page)[];
  readonly changes: unknown;
  readonly streams: readonly StreamEntry[];
  readonly streamsFilled?: readonly StreamFilled[];
  readonly known?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly refill?: readonly Scope[];
  readonly floors?: Readonly<Record<string, Place>>;
  readonly reset?: readonly string[];
  readonly lost?: readonly string[];
  readonly realmsToken?: string;
  readonly invitations?: unknown;
}

export interface CheckedScopes {
  readonly scopes: readonly PulledScope[];
  readonly schema?: number;
}

export interface TablesOfScope {
  readonly table: string;
  readonly where: unknown;
  readonly tables: readonly string[];
}

export interface ScopeTables {
  readonly scopes: readonly TablesOfScope[];
}

export interface SurveyedUpdate {
  readonly update: unknown;
  readonly user: string;
  readonly older?: boolean;
}

export interface SurveyRequest {
  readonly updates: readonly SurveyedUpdate[];
}

export interface NamedMember {
  readonly realm: string;
  readonly user: string;
  readonly adds: boolean;
  readonly accepts: boolean;
}

export interface NamedStream {
  readonly realm: string;
  readonly stream: string;
}

export interface Survey {
  readonly rows: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly founds: readonly string[];
  readonly members: readonly NamedMember[];
  readonly streams: readonly NamedStream[];
  readonly blocks: readonly string[];
}

export interface Surveys {
  readonly surveys: readonly Survey[];
}

export interface AdmittedRealm {
  readonly head: number;
  readonly headAt: number;
  readonly floor: number;
  readonly floorAt: number;
  readonly givenBack?: number;
}

export interface ChainState {
  readonly realm: string;
  readonly client: string;
  readonly seq: number;
  readonly id: string | null;
  readonly refused: unknown;
}

export interface AppliedUpdate {
  readonly client: string;
  readonly id: string;
  readonly answer: unknown;
}

export interface LoadedAction {
  readonly realm: string;
  readonly id: string;
  readonly revision: number;
}

export interface AdmittedRequest {
  readonly client: string;
  readonly user: string;
  readonly rights: number;
  readonly epoch: unknown;
  readonly follows?: unknown;
  readonly older?: boolean;
  readonly sent?: Readonly<Record<string, number>>;
  readonly updates: unknown;
}

export interface HostRefusal {
  readonly client: string;
  readonly id: string;
  readonly code: string;
  readonly detail: string;
}

export interface OwedConsequences {
  readonly client: string;
  readonly user: string;
  readonly update: string;
  readonly rows: readonly (readonly [string, string, string])[];
}

export interface OfferedRows {
  readonly client: string;
  readonly user: string;
  readonly update: string;
  readonly realm: string;
  readonly common: number;
  readonly version: number;
  readonly ops: unknown;
  readonly times: readonly number[];
}

export interface AdmissionBegin {
  readonly now: number;
  readonly invitations?: string;
  readonly realms: Readonly<Record<string, AdmittedRealm | null>>;
  readonly rights: readonly Readonly<Record<string, string>>[];
  readonly chains?: readonly ChainState[];
  readonly applied?: readonly AppliedUpdate[];
  readonly actions?: readonly LoadedAction[];
  readonly requests: readonly AdmittedRequest[];
  readonly refuse?: readonly HostRefusal[];
  readonly validates?: boolean;
  readonly rows?: unknown;
  readonly looked?: readonly (readonly [string, string, string])[];
  readonly owed?: OwedConsequences;
  readonly offered?: OfferedRows;
}

export interface ChangedByOthers {
  readonly realm: string;
  readonly table: string;
  readonly id: string;
  readonly client: string;
  readonly revision: number;
}

export interface DoneAction {
  readonly realm: string;
  readonly action: string;
  readonly revision: number;
  readonly ops: unknown;
  readonly actions: unknown;
  readonly rows: unknown;
}

export interface RowChange {
  readonly before: unknown;
  readonly offered?: number;
}

export interface ChangedSince {
  readonly realm: string;
  readonly table: string;
  readonly id: string;
  readonly above: number;
  readonly changes: readonly RowChange[];
  readonly more?: boolean;
}

export interface RuleRead {
  readonly query: unknown;
  readonly before?: boolean;
  readonly what: string;
  readonly column?: string;
}

export interface RuleProblem {
  readonly table?: string;
  readonly id?: string;
  readonly realm?: string;
  readonly code: string;
  readonly message: string;
}

export interface RuleAnswer {
  readonly place: number;
  readonly reads?: readonly RuleRead[];
  readonly problems?: readonly RuleProblem[];
  readonly failed?: string;
}

export interface AdmissionLoaded {
  readonly rows?: unknown;
  readonly others?: readonly ChangedByOthers[];
  readonly undone?: readonly DoneAction[];
  readonly since?: readonly ChangedSince[];
  readonly rules?: readonly RuleAnswer[];
}

export interface RowNeeds {
  readonly rows: readonly (readonly [string, string, string])[];
  readonly children: readonly (readonly [string, string, string, string])[];
  readonly unique: readonly (readonly [string, string, string, unknown])[];
  readonly matching: readonly (readonly [string, string, unknown])[];
  readonly others: readonly (readonly [string, string, string, string])[];
  readonly since: readonly (readonly [string, string, string, number])[];
  readonly undone: readonly (readonly [string, string, boolean])[];
}

export interface RuledAction {
  readonly id: string;
  readonly name: string;
  readonly arg: unknown;
  readonly at: number;
}

export interface RuledRow {
  readonly table: string;
  readonly id: string;
  readonly realm: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface RuleQuestion {
  readonly place: number;
  readonly client: string;
  readonly user: string;
  readonly action: RuledAction;
  readonly changed: readonly RuledRow[];
  readonly reads: readonly RuleRead[];
  readonly values: readonly unknown[];
}

export interface FailedRule {
  readonly client: string;
  readonly update: string;
  readonly detail: string;
}

export interface Declined {
  readonly user: string;
  readonly by: string;
}

export interface TouchedEntry {
  readonly realm: string;
  readonly revision: number;
  readonly client: string;
  readonly tables: readonly string[];
  readonly streams: readonly string[];
  readonly changes: number;
  readonly bytes: number;
  readonly appends: number;
  readonly users?: readonly string[];
  readonly invited?: readonly string[];
  readonly declined?: Declined;
}

export interface RefusedOffer {
  readonly op: number;
  readonly code: string;
  readonly detail: string;
  readonly props?: readonly string[];
}

export interface OffersTaken {
  readonly done: number;
  readonly taken: number;
  readonly refused: readonly RefusedOffer[];
  readonly forbidden?: boolean;
}

export interface AdmissionDone {
  readonly at: number;
  readonly results: readonly (readonly unknown[])[];
  readonly failed: readonly FailedRule[];
  readonly touched: readonly TouchedEntry[];
  readonly tables: readonly string[];
  readonly rows: number;
  readonly unmet?: number;
  readonly offers?: OffersTaken;
}

export interface PulledRealm {
  readonly head: number;
  readonly headAt: number;
  readonly rows: number;
  readonly floor: number;
  readonly floorAt: number;
}

export interface PullBegin {
  readonly now: number;
  readonly request: unknown;
  readonly realms: Readonly<Record<string, PulledRealm>>;
}

export interface EntryNeed {
  readonly realm: string;
  readonly from: number;
  readonly limit: number;
  readonly client: string | null;
}

export interface ChangeNeed {
  readonly realm: string;
  readonly from: number;
  readonly tables: readonly string[];
  readonly toHead: readonly string[];
}

export interface StateNeed {
  readonly realm: string;
  readonly tables: readonly string[];
}

export interface PageNeed {
  readonly table: string;
  readonly where: unknown;
  readonly above: string;
  readonly realms: readonly string[];
  readonly limit: number;
}

export interface ImageNeed {
  readonly realm: string;
  readonly least: number;
}

export interface RowNeed {
  readonly realm: string;
  readonly table: string;
  readonly id: string;
  readonly after: number;
}

export interface CandidateNeed {
  readonly realm: string;
  readonly table: string;
  readonly prop: string;
  readonly values: readonly unknown[];
}

export interface SelectedNeed {
  readonly realm: string;
  readonly table: string;
  readonly where: unknown;
  readonly select: string;
  readonly upto: number;
  readonly values: readonly unknown[];
}

export interface StreamNeed {
  readonly realm: string;
  readonly stream: string;
  readonly version: number | null;
  readonly migrates: boolean;
  readonly from: number;
  readonly upto: number;
  readonly last: number | null;
}

export interface PullNeeds {
  readonly entries: readonly EntryNeed[];
  readonly changes: readonly ChangeNeed[];
  readonly own: readonly string[];
  readonly actions: readonly string[];
  readonly state: readonly StateNeed[];
  readonly pages: readonly PageNeed[];
  readonly images: readonly ImageNeed[];
  readonly rows: readonly RowNeed[];
  readonly candidates: readonly CandidateNeed[];
  readonly selected: readonly SelectedNeed[];
  readonly streams: readonly StreamNeed[];
}

export interface LoadedEntry {
  readonly realm: string;
  readonly revision: number;
  readonly at: number;
  readonly client: string;
  readonly update: string;
  readonly declared?: boolean;
  readonly spans?: Readonly<Record<string, number>>;
  readonly revisions?: Readonly<Record<string, number>>;
  readonly gone?: readonly number[];
  readonly missing?: readonly number[];
  readonly dropped?: readonly DroppedOp[];
  readonly notAppended?: readonly number[];
  readonly streams?: readonly string[];
  readonly base?: number;
}

export interface LoadedOwn {
  readonly update: string;
  readonly realm: string;
  readonly revision: number;
  readonly at: number;
  readonly ops?: unknown;
  readonly gone?: readonly number[];
  readonly missing?: readonly number[];
  readonly dropped?: readonly DroppedOp[];
  readonly notAppended?: readonly number[];
  readonly revisions?: Readonly<Record<string, number>>;
  readonly forgotten?: boolean;
}

export interface LoadedPage {
  readonly rows: unknown;
  readonly more: boolean;
  readonly upto?: string;
}

export interface LoadedCandidates {
  readonly rows: unknown;
  readonly more?: boolean;
}

export interface LoadedStreamAction {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly action: string;
}

export interface LoadedSnapshot {
  readonly stream: string;
  readonly version: number;
  readonly revision: number;
  readonly hash: string;
}

export interface LoadedStream {
  readonly actions: readonly LoadedStreamAction[];
  readonly more: boolean;
  readonly snapshots?: readonly LoadedSnapshot[];
  readonly upto?: number;
  readonly floor?: number;
}

export interface Omitted {
  readonly realm: string;
  readonly tables?: readonly string[];
  readonly joins?: boolean;
}

export interface PullLoaded {
  readonly entries?: readonly LoadedEntry[];
  readonly changes?: unknown;
  readonly own?: readonly LoadedOwn[];
  readonly actions?: readonly LoadedAction[];
  readonly state?: unknown;
  readonly pages?: readonly (LoadedPage | null)[];
  readonly images?: readonly Image[];
  readonly rows?: unknown;
  readonly candidates?: readonly LoadedCandidates[];
  readonly selected?: readonly (readonly number[])[];
  readonly streams?: readonly (LoadedStream | null)[];
  readonly omitted?: readonly Omitted[];
}

export interface DiffPart {
  readonly realm: string;
  readonly table: string;
  readonly props: readonly string[];
  readonly above: string;
  readonly upto: string | null;
  readonly count: number;
  readonly sums?: readonly string[];
  readonly rows?: readonly (readonly [string, string])[];
  readonly buckets?: readonly number[];
}

export interface DiffRequest {
  readonly client: string;
  readonly schema: number | null;
  readonly cursors: Readonly<Record<string, string>>;
  readonly scopes: readonly PulledScope[];
  readonly tables: readonly DiffPart[];
}

export interface DiffResult {
  readonly same?: boolean;
  readonly differ?: readonly number[];
  readonly changes?: unknown;
  readonly absent?: readonly string[];
  readonly more?: boolean;
  readonly again?: boolean;
  readonly upto?: string;
  readonly unknown?: readonly string[];
}

export interface DiffAnswer {
  readonly time: number;
  readonly tables: readonly DiffResult[];
}

export interface ReadBefore {
  readonly id: string;
  readonly before: unknown;
}

export interface ReadPart {
  readonly part: DiffPart;
  readonly cursor: number;
  readonly rows: unknown;
  readonly more: boolean;
  readonly upto?: string;
  readonly changed: readonly ReadBefore[];
}

export interface ReadDiff {
  readonly schema: number | null;
  readonly scopes: readonly PulledScope[];
  readonly parts: readonly ReadPart[];
}

export interface OldEntry {
  readonly revision: number;
  readonly at: number;
  readonly seq: number | null;
  readonly last: number | null;
  readonly seen: number | null;
}

export interface OldLog {
  readonly before: number;
  readonly floor: number;
  readonly floorAt: number;
  readonly entries: readonly OldEntry[];
}

export interface ForgottenLog {
  readonly floor: number;
  readonly floorAt: number;
  readonly gone: readonly number[];
  readonly kept: readonly number[];
}

export interface Hello {
  readonly type: 'hello';
  readonly token: string | null;
  readonly client: string;
  readonly schema: number;
  readonly scopes: readonly Scope[];
  readonly streams: readonly string[];
}

export interface Ping {
  readonly type: 'ping';
}

export interface Ready {
  readonly type: 'ready';
  readonly features: readonly string[];
}

export interface Pong {
  readonly type: 'pong';
}

export interface Poke {
  readonly type: 'poke';
  readonly realm: string;
  readonly revision: number;
  readonly tables: readonly string[];
  readonly streams: readonly string[];
}

export interface Invitations {
  readonly type: 'invitations';
}
