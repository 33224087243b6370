// The package skerry-server, for programs that start a server of their own.
export type { ApplicationSql, SqlStatements } from './application-sql.ts';
export type { VerifiedUser, VerifyToken } from './auth/own-verify.ts';
export type { NodeHandler } from './http/front.ts';
export type { JwtAuth, MountedServer, RunningServer, ServerOptions } from './options.ts';
export type { Access } from './rights/grants.ts';
export type { ServerRule } from './rules/asker.ts';
export { createServer } from './server.ts';
export type { Reducers, StreamReducer } from './stream/reducers.ts';
