// The names of all options. A misspelt one would be passed over, and the operator would believe that it holds.

import { callerLimits } from './base/limits.ts';
import { SetupError } from './base/setup-error.ts';
import type { JwtAuth, ServerOptions } from './options.ts';

/** Every member of ServerOptions; the compiler checks that none is missing. */
const known: Readonly<Record<keyof ServerOptions, true>> = {
  schema: true,
  database: true,
  data: true,
  notify: true,
  takeBack: true,
  auth: true,
  access: true,
  public: true,
  realmsKey: true,
  host: true,
  port: true,
  files: true,
  origins: true,
  seed: true,
  schemaModule: true,
  reducerMemory: true,
  reducerSeconds: true,
  retryStreams: true,
  reducers: true,
  validate: true,
  ruleSeconds: true,
  actionsPerSnapshot: true,
  retention: true,
  invitations: true,
  limits: true,
  trustProxy: true,
  progress: true,
  log: true,
  warn: true,
  failed: true,
};

const knownOfAuth: Readonly<Record<keyof JwtAuth, true>> = {
  secret: true,
  jwks: true,
  algorithms: true,
  issuer: true,
  audience: true,
  typ: true,
  clockSkewSeconds: true,
  dev: true,
  devHosts: true,
};

function refuseUnknown(given: unknown, names: object, of: string): void {
  if (given === undefined || given === null || typeof given === 'function') return;
  if (typeof given !== 'object') throw new SetupError(`${of} is an object.`);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(names, name)) continue;
    throw new SetupError(`${of} has no \`${name}\`. It has: ${Object.keys(names).join(', ')}.`);
  }
}

/** Throws SetupError if an option has a name that there is not. */
export function checkOptionNames(options: ServerOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new SetupError('The options of `createServer` must be an object.');
  refuseUnknown(options, known, '`createServer`');
  refuseUnknown(options.auth, knownOfAuth, '`auth` of `createServer`');
  refuseUnknown(options.limits, callerLimits, '`limits` of `createServer`');
}
