// Makes `import 'skerry'` work inside this repository: node_modules/skerry is the repository itself.
// The package at the root is not a workspace, so npm does not link it; npm runs this after installs.

import { lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/paths.mjs';

const link = join(root, 'node_modules', 'skerry');
if (!lstatSync(link, { throwIfNoEntry: false })) {
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  symlinkSync('..', link, 'junction');
}
