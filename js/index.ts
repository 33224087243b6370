/** The browser entry of the package: all public names. Importing it does nothing. */

export type { ExportOptions } from './api/account/export.ts';
export type { LogoutOptions } from './api/account/logout.ts';
export type { MendedRow, Verified, VerifyOptions } from './api/comparing.ts';
export type { Conflict, Conflicts } from './api/conflicts.ts';
export { type Database, deleteDatabase, open } from './api/database.ts';
export type { DatabaseEvents } from './api/events.ts';
export type { Invitation } from './api/invitations.ts';
export type { Migration, Migrations, TableMigration } from './api/migrations.ts';
export type { OpenOptions, UpdateReason } from './api/options.ts';
export type { Problem } from './api/problems.ts';
export type { Member, RealmRole, Realms } from './api/realms.ts';
export { type HttpOptions, http, type Remote, type TokenReason } from './api/remote.ts';
export type { Replay, ReplayedAction } from './api/replay.ts';
export { defineMutators, type SchemaOptions, schema, t, table } from './api/schema.ts';
export type { Scope } from './api/scopes.ts';
export type {
  DataStream,
  DataStreamOptions,
  Entry,
  PageOptions,
  ReducedStream,
  ReducedStreamOptions,
} from './api/stream-types.ts';
export type { SyncStatus } from './api/sync-status.ts';
export type { SyncApi } from './api/sync-types.ts';
export type {
  ClassOptions,
  Delta,
  Filter,
  FilterBuilder,
  Id,
  Json,
  Live,
  Mutation,
  MutationOptions,
  Mutators,
  NewRow,
  Patch,
  Prop,
  Query,
  Reader,
  RefOptions,
  Row,
  Schema,
  Stop,
  Table,
  Tables,
  Tx,
  Writer,
} from './api/types.ts';
export type { CanUndo, Undone } from './api/undo.ts';
export type { UserAction } from './api/user-action.ts';
export type { VerifyProgress } from './api/verify.ts';
export {
  AuthError,
  ClosedError,
  ConflictError,
  CorruptImageError,
  type ErrorCode,
  LimitError,
  NetworkError,
  NotFoundError,
  QuotaError,
  ReadOnlyError,
  SchemaError,
  ServerError,
  SkerryError,
  StorageError,
  UnsupportedError,
  UnsyncedError,
  UpdateNeededError,
  ValidationError,
} from './core/errors.ts';
export { type Info, UnknownValue } from './core/special-json.ts';
export type { Host } from './host/host.ts';
