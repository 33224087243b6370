// Finds the PostgreSQL that the tests use, or fetches one if the machine has none: without root, from the Debian
// archive that the machine already uses, unpacked below the toolchain's folder.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { debianAvailable, unpackMachinePackages } from './debian.mjs';
import { toolchain } from './paths.mjs';
import { SetupError, step, which } from './run.mjs';

/** The oldest version that the server is tested on. */
const kOldest = 15;
const kSystem = '/usr/lib/postgresql';
export const postgresPrefix = join(toolchain, 'postgresql');

/** The folders of programs below `<root>/<version>/bin`, newest first. */
function versionsBelow(root) {
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(b) - Number(a))
    .map((name) => join(root, name, 'bin'));
}

/** Where the libraries of unpacked packages are, for programs that are below the prefix. */
function librariesOf(bin) {
  if (!bin.startsWith(postgresPrefix)) return {};
  const root = join(postgresPrefix, 'usr', 'lib');
  const folders = readdirSync(root).filter((name) => name.endsWith('-linux-gnu'));
  return { LD_LIBRARY_PATH: folders.map((name) => join(root, name)).join(':') };
}

function versionOf(bin, env) {
  const { status, stdout } = spawnSync(join(bin, 'postgres'), ['--version'], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return status === 0 ? Number.parseInt(/(\d+)/.exec(stdout)?.[1] ?? '0', 10) : 0;
}

/** The programs of a PostgreSQL that is new enough, and the environment variables that they need; or undefined. */
export function findPostgres() {
  const named = process.env.SKERRY_POSTGRES_BIN;
  const onPath = which('initdb');
  const candidates = named
    ? [named]
    : [
        ...versionsBelow(kSystem),
        ...(onPath ? [dirname(realpathSync(onPath))] : []),
        ...versionsBelow(join(postgresPrefix, 'usr', 'lib', 'postgresql')),
      ];
  for (const bin of candidates) {
    const complete = ['initdb', 'postgres'].every((name) => existsSync(join(bin, name)));
    if (!complete) continue;
    const env = librariesOf(bin);
    if (versionOf(bin, env) >= kOldest) return { bin, env };
  }
  return undefined;
}

const help = () =>
  `The server's tests need PostgreSQL ${kOldest} or newer. Install it (on Debian: apt-get install postgresql), ` +
  'put its initdb on PATH, or name its folder of programs in SKERRY_POSTGRES_BIN.';

/** Fetches a PostgreSQL into the toolchain's folder, unless there is one. */
export async function installPostgres() {
  if (findPostgres()) return;
  if (process.env.SKERRY_POSTGRES_BIN || !debianAvailable()) throw new SetupError(help());
  await step('PostgreSQL (50 MB, once)', async () => {
    rmSync(postgresPrefix, { recursive: true, force: true });
    const names = await unpackMachinePackages(postgresPrefix, (all) => {
      const newest = all
        .map((name) => Number(/^postgresql-(\d+)$/.exec(name)?.[1] ?? 0))
        .reduce((a, b) => Math.max(a, b), 0);
      return newest >= kOldest ? [`postgresql-${newest}`] : [];
    });
    writeFileSync(join(postgresPrefix, 'packages.txt'), `${names.join('\n')}\n`);
  });
  if (!findPostgres()) throw new SetupError(help());
}
