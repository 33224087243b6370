// The command `skerry-server`. It prints its progress, then one line `skerry-server ready <url>`, and stops on SIGTERM or
// SIGINT.

import { parseArgs } from 'node:util';
import { DirectoryInUseError } from './db/directory-lock.ts';
import { type CallerLimits, callerLimits } from './limits.ts';
import { loadSchema, loadSeed } from './schema-module.ts';
import { createServer } from './server.ts';
import { SchemaError } from './sql/description.ts';
import { NameError } from './sql/names.ts';

const kUsage = `skerry-server --schema FILE [--port 8787] [--host 127.0.0.1] [--data ./data] [--dev] [--no-notify]
              [--secret KEY] [--origin URL]… [--static FOLDER] [--seed FILE] [--limit NAME=NUMBER]… [--trust-proxy]

  --schema FILE    a module that exports the schema as default, or as \`app\`
  --data FOLDER    PGlite's database and the images; DATABASE_URL=postgres://… takes PostgreSQL instead of PGlite
  --no-notify      nodes on one PostgreSQL poll for each other's commits only, for a database or pooler without LISTEN
  --dev            take tokens \`dev:<user>\`, who may write the realm \`public\`
  --secret KEY     the key of HS256 tokens (or SKERRY_SECRET)
  --origin URL     pages of this other origin may call the server
  --static FOLDER  serve these files, too
  --seed FILE      a module that exports the rows of the first start
  --limit N=V      what callers may ask for at a time: ${Object.keys(callerLimits).join(', ')}
  --trust-proxy    a proxy stands before the server: x-forwarded-for says where requests come from`;

class UsageError extends Error {}

const flags = {
  schema: { type: 'string' },
  port: { type: 'string', default: '8787' },
  host: { type: 'string', default: '127.0.0.1' },
  data: { type: 'string', default: './data' },
  dev: { type: 'boolean', default: false },
  'no-notify': { type: 'boolean', default: false },
  secret: { type: 'string' },
  origin: { type: 'string', multiple: true },
  static: { type: 'string' },
  seed: { type: 'string' },
  limit: { type: 'string', multiple: true },
  'trust-proxy': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
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
  const values = readFlags();
  if (values.help) {
    console.log(kUsage);
    return;
  }
  if (values.schema === undefined) throw new UsageError('--schema is needed.');
  const secret = values.secret ?? process.env.SKERRY_SECRET;
  if (secret === undefined && !values.dev) {
    throw new UsageError('Either --secret (or SKERRY_SECRET) or --dev is needed.');
  }
  const server = await createServer({
    schema: await loadSchema(values.schema),
    data: values.data,
    databaseUrl: process.env.DATABASE_URL,
    notify: !values['no-notify'],
    auth: { secret, dev: values.dev },
    host: values.host,
    port: readPort(values.port),
    files: values.static,
    origins: values.origin,
    limits: readLimits(values.limit ?? []),
    trustProxy: values['trust-proxy'],
    seed: values.seed === undefined ? undefined : await loadSeed(values.seed),
    progress: (message) => console.log(message),
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
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  console.log(`skerry-server ready ${server.url}`);
}

main().catch((error: unknown) => {
  const explained =
    error instanceof UsageError ||
    error instanceof DirectoryInUseError ||
    error instanceof SchemaError ||
    error instanceof NameError;
  if (explained) console.error((error as Error).message);
  else console.error(error);
  if (error instanceof UsageError) console.error(`\n${kUsage}`);
  process.exit(1);
});
