// Programs that write to PostgreSQL beside the server, for its tests: pgbouncer, and psycopg for Python. Fetched like PostgreSQL
// itself (postgres.mjs), if the machine has none. psql comes with PostgreSQL.

import { existsSync, readdirSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { debianAvailable, unpackMachinePackages } from './debian.mjs';
import { toolchain } from './paths.mjs';
import { findPostgres } from './postgres.mjs';
import { run, SetupError, step, which } from './run.mjs';

const kPrefix = join(toolchain, 'database-clients');
const kPackages = ['pgbouncer', 'python3-psycopg', 'python3-typing-extensions', 'libpq5'];

const help = () =>
  'The tests of programs that write to PostgreSQL need pgbouncer and psycopg 3 for Python. Install them (on Debian: apt-get install pgbouncer python3-psycopg).';

/** The environment in which what was fetched runs. */
function environment() {
  const libraries = join(kPrefix, 'usr', 'lib');
  if (!existsSync(libraries)) return {};
  const folders = readdirSync(libraries).filter((name) => name.endsWith('-linux-gnu'));
  const joined = (paths, more) => [...paths, ...(more ? [more] : [])].join(delimiter);
  return {
    LD_LIBRARY_PATH: joined(
      folders.map((name) => join(libraries, name)),
      process.env.LD_LIBRARY_PATH,
    ),
    PYTHONPATH: joined([join(libraries, 'python3', 'dist-packages')], process.env.PYTHONPATH),
  };
}

async function hasPsycopg(env) {
  if (!which('python3')) return false;
  const { code } = await run('python3', ['-c', 'import psycopg'], {
    env: { ...process.env, ...env },
    allowFailure: true,
  });
  return code === 0;
}

/** The programs, and the environment variables that they need; or undefined. */
export async function findDatabaseClients() {
  const own = join(kPrefix, 'usr', 'sbin', 'pgbouncer');
  const pgbouncer = existsSync(own) ? own : which('pgbouncer');
  const postgres = findPostgres();
  const beside = postgres && join(postgres.bin, 'psql');
  const psql = beside && existsSync(beside) ? beside : which('psql');
  const env = environment();
  if (!postgres || !pgbouncer || !psql || !(await hasPsycopg(env))) return undefined;
  return { pgbouncer, psql, python: 'python3', env: { ...postgres.env, ...env } };
}

/** Fetches what the machine does not have. */
export async function installDatabaseClients() {
  if (await findDatabaseClients()) return;
  if (!debianAvailable()) throw new SetupError(help());
  await step('pgbouncer and psycopg (1 MB, once)', async () => {
    rmSync(kPrefix, { recursive: true, force: true });
    await unpackMachinePackages(kPrefix, () => kPackages);
  });
  if (!(await findDatabaseClients())) throw new SetupError(help());
}
