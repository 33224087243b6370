// Which files of the repository this process opens, by Node's functions: `npm test` compares them with the key under which a
// file of tests has passed (tools/lib/passed), so that no file is forgotten there. Processes that a test starts are watched
// as well: they load this file (NODE_OPTIONS) and write into the file that SKERRY_TEST_OPENED names.

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(import.meta.dirname, '../..');
const { appendFileSync } = fs;
const outside = /(^|\/)(node_modules|build(?!\/wasm\/)|\.toolchain|\.git)(\/|$)/;
const seen = new Set();

/** Relative to the root, with a slash at the end of a folder; null if it is none of the repository's. */
function ours(path, folder) {
  let text = path;
  // URLs may be those of jsdom, too.
  const href = typeof path === 'string' ? path : path?.href;
  if (typeof href === 'string' && href.startsWith('file:')) text = fileURLToPath(href);
  if (Buffer.isBuffer(text)) text = text.toString();
  if (typeof text !== 'string') return null;
  const found = relative(root, join(text.startsWith(sep) ? '' : process.cwd(), text));
  if (found === '' || found.startsWith('..') || outside.test(found)) return null;
  return folder ? `${found}/` : found;
}

function note(path, folder) {
  let found = null;
  try {
    found = ours(path, folder);
  } catch {
    // It is no path: the function that was called says so.
  }
  if (found === null || seen.has(found)) return;
  seen.add(found);
  const sink = process.env.SKERRY_TEST_OPENED;
  try {
    if (sink) appendFileSync(sink, `${found}\n`);
  } catch {
    // A process that outlives its test: nobody reads the file any more.
  }
}

const files = ['readFileSync', 'readFile', 'openSync', 'open', 'copyFileSync', 'copyFile'];
const folders = ['readdirSync', 'readdir', 'opendirSync', 'opendir', 'cpSync', 'cp'];

function watch(module, names, folder) {
  for (const name of names) {
    const original = module[name];
    if (original === undefined) continue;
    module[name] = Object.assign(function watched(path, ...rest) {
      note(path, folder);
      return original.call(this, path, ...rest);
    }, original);
  }
}

watch(fs, files, false);
watch(fs, folders, true);
watch(fs.promises, files, false);
watch(fs.promises, folders, true);
syncBuiltinESMExports();
