// Fresh projects in a temporary folder, outside of the repository, so that nothing of it is found by walking up: one of
// test/package/projects with what its lock file names, and the package out of its tarball.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const projects = join(dirname(dirname(fileURLToPath(import.meta.url))), 'projects');
const execute = promisify(execFile);

export interface Project {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs a script of its package.json. Gives what was printed; rejects with it when the script fails. */
  script(name: string): Promise<string>;
  remove(): void;
}

/** What vitest says of itself is not for them: frameworks build otherwise under it. Nor is what npm says. */
const foreign = /^(VITE|TEST$|MODE$|DEV$|PROD$|SSR$|BASE_URL$|NODE_ENV$|npm_)/;
const env: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name))),
  NO_COLOR: '1',
  NEXT_TELEMETRY_DISABLED: '1',
};

async function npm(folder: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await execute('npm', args, { cwd: folder, env, maxBuffer: 1 << 26 });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr, message } = error as Error & { stdout: string; stderr: string };
    throw new Error(`npm ${args.join(' ')}: ${message}\n${stdout}\n${stderr}`);
  }
}

/**
 * A project of test/package/projects, or one that has nothing but the shared sources: `plain`. `variant` has another
 * package.json, with other versions.
 */
export async function makeProject(
  name: string,
  tarball: string,
  variant?: string,
  within = tmpdir(),
): Promise<Project> {
  const folder = mkdtempSync(join(within, `skerry-${variant ?? name}-`));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  const add = (project: string, to = folder) =>
    cpSync(join(projects, project), to, { recursive: true });
  try {
    const sources = join(folder, 'src');
    add('shared', name === 'plain' ? folder : sources);
    if (name !== 'plain') add(name);
    if (variant) add(variant);
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
    if (existsSync(join(folder, 'package-lock.json'))) await npm(folder, ['ci', ...quiet]);
    // The tarball is another one with each build, so no lock file can name it.
    await npm(folder, ['install', '--no-save', '--no-package-lock', ...quiet, tarball]);
    return { folder, env, remove, script: (script) => npm(folder, ['run', script]) };
  } catch (error) {
    remove();
    throw error;
  }
}
