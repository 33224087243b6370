// The command `skerry-server`. It prints its progress, then one line `skerry-server ready <url>`, and stops on SIGTERM, SIGINT
// or SIGHUP.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { adoptCommand } from './adopt-command.ts';
import { type CallerLimits, callerLimits } from './base/limits.ts';
import { SetupError } from './base/setup-error.ts';
import { checkCommand } from './check-command.ts';
import { checkDatabaseUrl } from './db/database-url.ts';
import { DirectoryInUseError } from './db/directory-lock.ts';
import type { InvitationMode } from './push/member-limits.ts';
import { loadSchema, loadSeed } from './schema-module.ts';
import { createServer } from './server.ts';
import { SchemaError } from './sql/description.ts';
import { NameError } from './sql/names.ts';

const kUsage = `skerry-server --schema FILE [--port 8787] [--host 127.0.0.1] [--data ./data] [--no-notify] [--take-back]
              [--secret KEY [--secret PREVIOUS] | --jwks URL-OR-FILE [--algorithm NAME]…]
              [--issuer TEXT] [--audience TEXT] [--token-type TEXT] [--clock-skew SECONDS]
              [--realms-key KEY [--realms-key PREVIOUS]] [--public REALM=read|write]… [--dev] [--dev-host NAME]… [--origin URL]… [--static FOLDER] [--seed FILE]
              [--limit NAME=NUMBER]… [--actions-per-snapshot N] [--retention SECONDS]
              [--invitations consent|direct] [--reducer-memory MB] [--reducer-seconds N] [--retry-streams]
              [--rule-seconds N] [--no-validate] [--trust-proxy] [--version]
skerry-server check --schema FILE [--data ./data]   lists what is wrong in the database

  --schema FILE    a module that exports the schema as default, or as \`app\`, and perhaps \`reducers\` of streams
  --data FOLDER    PGlite's database and the images; DATABASE_URL=postgres://… uses PostgreSQL instead of PGlite
  --no-notify      nodes on one PostgreSQL only poll for each other's commits, for a database or pooler without LISTEN
  --take-back      after a restore, devices also give back realms without members of which the backup has nothing
  --dev            accept tokens \`dev:<user>\`, who may also write the realm \`public\`; answers to loopback names only
  --dev-host NAME  another host name that a server with --dev answers to
  --realms-key K   the key of realms tokens (or SKERRY_REALMS_KEY), at least 32 bytes; if given twice, the second is the
                   previous one; without it a key in the database
  --public R=write every user may write the realm R, or read it (R=read)
  --secret KEY     the key of HS256 tokens, at least 32 bytes (or SKERRY_SECRET); if given twice, the second is the
                   previous one (or SKERRY_SECRET_PREVIOUS), whose tokens are still accepted
  --jwks URL       the public keys of an issuer (JWKS), or a file of them; needs --issuer and --audience
  --algorithm NAME an algorithm that tokens of these keys may have; by default RS256, PS256, ES256 and EdDSA
  --clock-skew N   by how many seconds the clocks of issuer and server may differ; 0 by default
  --issuer TEXT    the required \`iss\` of tokens; --audience: their \`aud\`; --token-type: the \`typ\` of their header
  --origin URL     pages of this other origin may call the server
  --static FOLDER  also serve these files
  --seed FILE      a module that exports the rows of the first start
  --limit N=V      limits of concurrent use per caller: ${Object.keys(callerLimits).join(', ')}
  --actions-per-snapshot N  after so many actions of a stream that has a reducer a snapshot of it is made; 1000 by default
  --reducer-memory MB, --reducer-seconds N  what the process that runs the reducers may have: 512 MB, and 30 s for a page
                   of up to 1,000 actions
  --retry-streams  streams that a reducer could not fold are tried once more
  --rule-seconds N  what the rules of the schema (\`validate\`) have for an action: 5 s
  --no-validate    the rules of the schema are asked on devices alone
  --retention N    the log, and actions that a snapshot holds, are forgotten after N seconds; by default after 30 days
  --invitations M  \`consent\` (the default): an invitation waits until the invited accepts it; \`direct\`: it counts at once
  --trust-proxy    the server is behind a proxy: x-forwarded-for gives the address of a request`;

class UsageError extends SetupError {}

const flags = {
  schema: { type: 'string' },
  port: { type: 'string', default: '8787' },
  host: { type: 'string', default: '127.0.0.1' },
  data: { type: 'string', default: './data' },
  dev: { type: 'boolean', default: false },
  'no-notify': { type: 'boolean', default: false },
  'take-back': { type: 'boolean', default: false },
  'dev-host': { type: 'string', multiple: true },
  'realms-key': { type: 'string', multiple: true },
  public: { type: 'string', multiple: true },
  secret: { type: 'string', multiple: true },
  jwks: { type: 'string' },
  algorithm: { type: 'string', multiple: true },
  'clock-skew': { type: 'string', default: '0' },
  issuer: { type: 'string' },
  audience: { type: 'string' },
  'token-type': { type: 'string' },
  origin: { type: 'string', multiple: true },
  static: { type: 'string' },
  seed: { type: 'string' },
  limit: { type: 'string', multiple: true },
  'actions-per-snapshot': { type: 'string' },
  retention: { type: 'string' },
  invitations: { type: 'string' },
  'reducer-memory': { type: 'string' },
  'reducer-seconds': { type: 'string' },
  'retry-streams': { type: 'boolean', default: false },
  'rule-seconds': { type: 'string' },
  'no-validate': { type: 'boolean', default: false },
  'trust-proxy': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  version: { type: 'boolean', default: false },
} as const;

function readFlags(): ReturnType<typeof parseArgs<{ options: typeof flags }>>['values'] {
  try {
    return parseArgs({ options: flags }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError(`--port ${text} is not a port.`);
  }
  return port;
}

/** The keys of tokens, the current one first: from the flags, or from the environment. */
function readSecrets(
  given: readonly string[] | undefined,
): string | readonly [string, string] | undefined {
  const { SKERRY_SECRET, SKERRY_SECRET_PREVIOUS } = process.env;
  const [current, previous, ...more] = given ?? [
    SKERRY_SECRET,
    ...(SKERRY_SECRET_PREVIOUS === undefined ? [] : [SKERRY_SECRET_PREVIOUS]),
  ];
  if (more.length > 0) throw new UsageError('--secret is given twice at most.');
  if (current === undefined && previous !== undefined) {
    throw new UsageError('SKERRY_SECRET_PREVIOUS is set, and SKERRY_SECRET is not.');
  }
  return current === undefined || previous === undefined ? current : [current, previous];
}

/** An address of keys, or the keys in a file. */
function readJwks(jwks: string | undefined): string | object | undefined {
  if (jwks === undefined || /^https?:/i.test(jwks)) return jwks;
  try {
    return JSON.parse(readFileSync(jwks, 'utf8')) as object;
  } catch (error) {
    throw new SetupError(`--jwks ${jwks} could not be read: ${(error as Error).message}`);
  }
}

function readPublic(texts: readonly string[]): Record<string, 'read' | 'write'> {
  const realms: Record<string, 'read' | 'write'> = {};
  for (const text of texts) {
    const [, realm = '', right = ''] = /^(.*)=(read|write)$/.exec(text) ?? [];
    if (right !== 'read' && right !== 'write') {
      throw new UsageError(`--public ${text} is none of REALM=read and REALM=write.`);
    }
    realms[realm] = right;
  }
  return realms;
}

function readRealmsKey(
  given: readonly string[] | undefined,
): string | readonly [string, string] | undefined {
  const [current = process.env.SKERRY_REALMS_KEY, previous, ...more] = given ?? [];
  if (more.length > 0) throw new UsageError('--realms-key is given twice at most.');
  return current === undefined || previous === undefined ? current : [current, previous];
}

function readCount(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new UsageError(`--${flag} ${text} is no number above 0.`);
}

function readSkew(text: string): number {
  const seconds = Number(text);
  if (text !== '' && Number.isInteger(seconds)) return seconds;
  throw new UsageError(`--clock-skew ${text} is no number of seconds.`);
}

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

function isLimit(name: string): name is keyof CallerLimits {
  return Object.hasOwn(callerLimits, name);
}

function readLimits(texts: readonly string[]): Partial<CallerLimits> {
  const read: Partial<Record<keyof CallerLimits, number>> = {};
  for (const text of texts) {
    const [name = '', number = ''] = text.split('=', 2);
    const value = Number(number);
    if (!isLimit(name) || number === '' || !Number.isSafeInteger(value) || value < 0) {
      throw new UsageError(`--limit ${text} is none of NAME=NUMBER.`);
    }
    read[name] = value;
  }
  return read;
}

async function main(): Promise<void> {
  if (process.argv[2] === 'check') {
    process.exitCode = await checkCommand(process.argv.slice(3));
    return;
  }
  if (process.argv[2] === 'adopt') {
    process.exitCode = await adoptCommand(process.argv.slice(3));
    return;
  }
  const values = readFlags();
  if (values.help) {
    console.log(kUsage);
    return;
  }
  if (values.version) {
    console.log(packageVersion());
    return;
  }
  if (values.schema === undefined) throw new UsageError('--schema is needed.');
  const secret = readSecrets(values.secret);
  const jwks = readJwks(values.jwks);
  const isVerified = secret !== undefined || jwks !== undefined;
  if (!isVerified && !values.dev) {
    throw new UsageError('Either --secret (or SKERRY_SECRET), --jwks or --dev is needed.');
  }
  if (isVerified && values.dev) {
    console.warn(
      '--dev together with signed tokens: this server accepts callers without a signed token.',
    );
  }
  const port = readPort(values.port);
  const databaseUrl = process.env.DATABASE_URL;
  if (databaseUrl === '') {
    throw new SetupError(
      'DATABASE_URL is empty: set it to postgres://user:password@host:5432/database, or unset it to use PGlite.',
    );
  }
  if (databaseUrl !== undefined) checkDatabaseUrl(databaseUrl);
  const schema = await loadSchema(values.schema);
  const server = await createServer({
    schema,
    schemaModule: values.schema,
    reducerMemory: readCount('reducer-memory', values['reducer-memory']),
    reducerSeconds: readCount('reducer-seconds', values['reducer-seconds']),
    retryStreams: values['retry-streams'],
    ruleSeconds: readCount('rule-seconds', values['rule-seconds']),
    validate: values['no-validate'] ? false : undefined,
    retention: readCount('retention', values.retention),
    invitations: values.invitations as InvitationMode | undefined,
    actionsPerSnapshot: readCount('actions-per-snapshot', values['actions-per-snapshot']),
    data: values.data,
    database: databaseUrl,
    notify: !values['no-notify'],
    takeBack: values['take-back'],
    auth: {
      secret,
      jwks,
      algorithms: values.algorithm,
      clockSkewSeconds: readSkew(values['clock-skew']),
      issuer: values.issuer,
      audience: values.audience,
      typ: values['token-type'],
      dev: values.dev,
      devHosts: values['dev-host'],
    },
    realmsKey: readRealmsKey(values['realms-key']),
    public: readPublic(values.public ?? []),
    host: values.host,
    port,
    files: values.static,
    origins: values.origin,
    limits: readLimits(values.limit ?? []),
    trustProxy: values['trust-proxy'],
    seed: values.seed === undefined ? undefined : await loadSeed(values.seed),
    progress: (message) => console.log(message),
    failed: explainAndExit,
  });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('The server did not stop cleanly.', error);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
  console.log(`skerry-server ready ${server.url}`);
}

function explainAndExit(error: unknown): never {
  const explained =
    error instanceof SetupError ||
    error instanceof DirectoryInUseError ||
    error instanceof SchemaError ||
    error instanceof NameError;
  if (explained) console.error((error as Error).message);
  else console.error(error);
  if (error instanceof UsageError) console.error('See skerry-server --help.');
  process.exit(1);
}

main().catch(explainAndExit);
