/** `skerry/react`: hooks for a Skerry database. Importing it does nothing. */
export type { AnyDatabase } from '../api/database.ts';
export {
  SkerryProvider,
  type SkerryProviderProps,
  useDatabase,
} from './context.ts';
export {
  type Deps,
  type LiveOptions,
  type QueryOptions,
  useConflicts,
  useInvitations,
  useLive,
  useMutate,
  useQuery,
  useStream,
  useSyncStatus,
  useUndo,
} from './hooks.ts';
// By `*`, so that the application can extend it.
export * from './register.ts';
