// Copies the package's files beside the page, which loads them as they are.
import { cpSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const package_ = dirname(fileURLToPath(import.meta.resolve('skerry')));
cpSync(package_, new URL('public/skerry', import.meta.url), {
  recursive: true,
  dereference: true,
  filter: (path) => !/\.(map|d\.ts)$|authority/.test(path),
});
