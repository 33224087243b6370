// What vitest.config.ts does once for the project `package`: packs the package as it would be published, installs it into
// a fresh project, and starts a server by the schema that lies there.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { root } from '../../browser/support/paths.ts';
import { TestServer } from '../../browser/support/server.ts';
import { makeProject } from './project.ts';

const run = promisify(execFile);

export interface Packed {
  /** The path of the tarball. */
  readonly tarball: string;
  /** What npm has put in, with sizes in bytes. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly size: number;
  readonly unpackedSize: number;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly packed: Packed;
    /** A folder where nothing but the package is installed. */
    readonly plain: string;
    /** The address of a skerry-server with the schema of `projects/shared`. */
    readonly server: string;
  }
}

async function pack(folder: string): Promise<Packed> {
  // Without scripts: what is packed is what the build made.
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: root });
  const answer = JSON.parse(stdout) as (Packed & { filename: string })[];
  const [packed] = Object.values(answer);
  if (!packed) throw new Error(`npm pack has packed nothing: ${stdout}`);
  const { filename, files, size, unpackedSize } = packed;
  return { tarball: join(folder, filename), files, size, unpackedSize };
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-packed-'));
  let server: TestServer | undefined;
  const remove = async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const packed = await pack(folder);
    const plain = await makeProject('plain', packed.tarball, undefined, folder);
    server = await TestServer.start({
      files: plain.folder,
      schema: join(plain.folder, 'schema.js'),
    });
    project.provide('packed', packed);
    project.provide('plain', plain.folder);
    project.provide('server', server.url);
    return remove;
  } catch (error) {
    await remove();
    throw error;
  }
}
