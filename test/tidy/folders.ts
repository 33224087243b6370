// Which folders may use which: the directions of imports, and the tables of ARCHITECTURE.md that show them.

/** Each folder with those that it may use beside itself. */
export type Folders = Readonly<Record<string, readonly string[]>>;

/** The core. A folder may also use what these may. */
export const cppFolders: Folders = {
  base: [],
  model: ['base'],
  log: ['model'],
  sync: ['log'],
  client: ['log'],
  authority: ['log'],
};

/** The package: exactly these; '' are the entries at its root, which may import all folders. */
export const jsFolders: Folders = {
  core: [],
  host: ['core'],
  worker: ['core', 'host'],
  api: ['core', 'host'],
  react: ['', 'api'],
  redux: ['', 'api'],
  tanstack: ['', 'api'],
  inspector: ['api', 'core', 'host'],
  elements: ['', 'api', 'inspector'],
  rules: ['api', 'core'],
};

/** The server. A folder may also use what these may; the files at its root may import all of them, and are imported by none. */
export const serverFolders: Folders = {
  base: [],
  db: ['base'],
  auth: ['base'],
  sql: ['db'],
  capture: ['sql'],
  check: ['capture'],
  adopt: ['capture'],
  wire: ['auth', 'sql'],
  cost: ['wire'],
  authority: ['sql'],
  rights: ['auth', 'sql'],
  push: ['cost', 'authority', 'rights', 'rules'],
  image: ['authority'],
  process: ['base'],
  stream: ['db', 'process'],
  rules: ['process'],
  pull: ['wire', 'rights', 'image', 'stream'],
  compare: ['pull'],
  retention: ['authority'],
  plain: ['authority', 'rights'],
  poke: ['push'],
  seed: ['push'],
  consequences: ['push'],
  offers: ['push'],
  http: ['compare', 'offers', 'retention', 'plain', 'poke'],
};

/** All that a folder may use: itself, those that it names, and what these may. */
export function reachOf(folders: Folders, folder: string): ReadonlySet<string> {
  const reach = new Set([folder]);
  // The set grows while it is walked.
  for (const each of reach) for (const used of folders[each] ?? []) reach.add(used);
  return reach;
}

/** The folders of a table of ARCHITECTURE.md, with the cells of what they may use. Names have this before them. */
function rowsOf(text: string, prefix: string): Map<string, string> {
  const row = new RegExp(`^\\| \`${prefix}(\\w+)\` \\|.*\\| *([^|]*?) *\\|$`, 'gm');
  return new Map([...text.matchAll(row)].map(([, name = '', cell = '']) => [name, cell]));
}

/** What a cell names. */
function namedIn(cell: string, prefix: string): string[] {
  if (cell === '' || cell === 'nothing') return [];
  return cell
    .split(', ')
    .map((name) => name.replace(/^types of /, ''))
    .map((name) =>
      name === 'js/index.ts' ? '' : name.slice(name.startsWith(prefix) ? prefix.length : 0),
    );
}

/** Where a table of ARCHITECTURE.md says something else than the rules. */
export function tableProblems(
  text: string,
  prefix: string,
  folders: Folders,
  { isClosed }: { readonly isClosed: boolean },
): string[] {
  const rows = rowsOf(text, prefix);
  const all = new Set([...Object.keys(folders), ...rows.keys()]);
  return [...all].flatMap((folder) => {
    const cell = rows.get(folder);
    if (cell === undefined) return [`${prefix}${folder} has no row`];
    if (!(folder in folders)) return [`${prefix}${folder} has a row, and no rule`];
    const named = namedIn(cell, prefix);
    const shown = isClosed
      ? reachOf({ ...folders, [folder]: named }, folder)
      : new Set([folder, ...named]);
    const ruled = isClosed
      ? reachOf(folders, folder)
      : new Set([folder, ...(folders[folder] ?? [])]);
    const differ = [...new Set([...shown, ...ruled])].filter(
      (each) => shown.has(each) !== ruled.has(each),
    );
    return differ.map(
      (each) =>
        `${prefix}${folder}: ${each} is in ${shown.has(each) ? 'its row' : 'the rules'} alone`,
    );
  });
}
