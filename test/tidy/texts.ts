// Every file that git tracks, or would track, and the texts of those that are no binaries.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

export const paths: readonly string[] = execFileSync(
  'git',
  ['ls-files', '-co', '--exclude-standard'],
  { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 },
)
  .split('\n')
  .filter((path) => path && existsSync(root + path) && statSync(root + path).isFile());

export const texts: ReadonlyMap<string, string> = new Map(
  paths
    .map((path) => [path, readFileSync(root + path)] as const)
    .filter(([, bytes]) => !bytes.includes(0))
    .map(([path, bytes]) => [path, bytes.toString('utf8')]),
);
