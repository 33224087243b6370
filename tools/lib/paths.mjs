// Where things are. The toolchain may be shared by several checkouts, through SKERRY_TOOLCHAIN_DIR.

import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const toolchain = process.env.SKERRY_TOOLCHAIN_DIR
  ? resolve(process.env.SKERRY_TOOLCHAIN_DIR)
  : join(root, '.toolchain');
/** This checkout's own: links to the tools, and headers. */
export const local = join(root, '.toolchain');
export const toolPath = (name) => join(local, 'bin', name);
export const build = join(root, 'build');
export const bin = join(root, 'node_modules', '.bin');
/** What Debian packages are unpacked into, by lib/debian.mjs. */
export const debianPrefix = join(toolchain, 'debian');
