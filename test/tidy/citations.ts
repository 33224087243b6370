// Citations of documents, as functions from texts to what is wrong with them: a heading that a comment or a page names has
// to be there, and so has a file or heading that a link leads to.

/** The documents by their paths, with their headings and numbered sections. */
export interface Documents {
  readonly headings: ReadonlyMap<string, ReadonlySet<string>>;
  /** How many invariants docs/design.md has. */
  readonly invariants: number;
  has(path: string): boolean;
}

const design = 'docs/design.md';

/** What a heading is called, without the marks of Markdown but for code. */
export function headingsOf(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/^#{1,4} (.+)$/gm)].map((match) => (match[1] ?? '').trim());
}

export function documentsOf(
  texts: ReadonlyMap<string, string>,
  paths: Iterable<string> = texts.keys(),
): Documents {
  const headings = new Map<string, ReadonlySet<string>>();
  for (const [path, text] of texts)
    if (path.endsWith('.md')) headings.set(path, new Set(headingsOf(text)));
  const list = /^## Invariants\n([\s\S]*?)^## /m.exec(texts.get(design) ?? '')?.[1] ?? '';
  const there = new Set([...paths].flatMap((path) => [path, ...foldersOf(path)]));
  return {
    headings,
    invariants: [...list.matchAll(/^\d+\. /gm)].length,
    has: (path) => there.has(path),
  };
}

function foldersOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
}

/** A comment's lines as one, so that a citation may run over the end of a line. */
function joined(text: string): string {
  return text.replace(/[ \t]*\n[ \t]*(?:\/\/|\*|#)?[ \t]*/g, ' ');
}

/** As GitHub makes them: lower case, without punctuation, a hyphen for each space. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replace(/ /g, '-');
}

function isNumbered(headings: ReadonlySet<string>, number: string): boolean {
  return [...headings].some((heading) => heading.startsWith(`${number}. `));
}

/** `docs/design.md, "The chain"`, `docs/internals.md, section 3`, invariants by number; in code and in documents. */
export function citationProblems(path: string, text: string, documents: Documents): string[] {
  if (path === 'CHANGELOG.md' || path.startsWith('test/tidy/')) return [];
  const prose = joined(text);
  const problems: string[] = [];
  for (const [, file = '', names = ''] of prose.matchAll(
    /\b(docs\/[\w-]+\.md|ARCHITECTURE\.md),? \(?((?:"[^"]+"(?:,? and |, )?)+)/g,
  )) {
    const headings = documents.headings.get(file);
    for (const [, name = ''] of names.matchAll(/"([^"]+)"/g))
      if (!headings?.has(name)) problems.push(`${path}: ${file} has no "${name}"`);
  }
  for (const [, named, number = ''] of prose.matchAll(
    /(?:([\w/-]+\.md)\)?,? )?\bsections? (\d+)\b(?!\.\d)/g,
  )) {
    const own = path.startsWith('docs/') ? path : '';
    const file = named ? `docs/${named.replace(/^.*\//, '')}` : own;
    const headings = documents.headings.get(file);
    if (!headings || !isNumbered(headings, number))
      problems.push(`${path}: ${file || 'no document'} has no section ${number}`);
  }
  for (const [, number = ''] of prose.matchAll(/\binvariants? (\d+)/gi))
    if (Number(number) > documents.invariants) problems.push(`${path}: no invariant ${number}`);
  for (const [named] of prose.matchAll(/(?<![\w./:*<>{}$-])(?:\.{1,2}\/)*[\w/-]+\.md\b(?!\/)/g))
    if (!isDocument(named, path, documents)) problems.push(`${path}: there is no ${named}`);
  for (const [named] of prose.matchAll(/\b(?:DESIGN|STYLE of the API)\b/g))
    problems.push(`${path}: ${named} is not in the repository`);
  return problems;
}

/** Whether `named` is a page, by its path from the root, from the file that names it, or as in docs/. */
function isDocument(named: string, path: string, documents: Documents): boolean {
  const folder = path.split('/').slice(0, -1);
  return [named, resolvedFrom(folder, named), `docs/${named}`].some((file) => documents.has(file));
}

/** Links of a Markdown file to files of the repository, and to headings in them. */
export function linkProblems(path: string, text: string, documents: Documents): string[] {
  if (!path.endsWith('.md')) return [];
  const folder = path.split('/').slice(0, -1);
  const problems: string[] = [];
  for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(link)) continue;
    const [file = '', anchor] = link.split('#');
    const target = file ? resolvedFrom(folder, file) : path;
    const headings = documents.headings.get(target);
    if (!documents.has(target)) problems.push(`${path}: there is no ${target}`);
    else if (anchor && ![...(headings ?? [])].some((heading) => anchorOf(heading) === anchor))
      problems.push(`${path}: ${target} has no heading for #${anchor}`);
  }
  return problems;
}

function resolvedFrom(folder: readonly string[], file: string): string {
  const parts = [...folder];
  for (const part of file.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

/** The last cells of the tables of docs/security.md. */
function testCells(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').at(-2) ?? '')
    .join('\n');
}

/**
 * The tests that docs/design.md names at its holes, and docs/security.md in its tables, in quotes, of which no file under
 * test/ has the name.
 */
export function missingTests(texts: ReadonlyMap<string, string>): string[] {
  const holes = /^## Holes that were closed\n([\s\S]*?)(?=^## )/m.exec(
    texts.get(design) ?? '',
  )?.[1];
  const cells = testCells(texts.get('docs/security.md') ?? '');
  const named = [...`${joined(holes ?? '')}\n${cells}`.matchAll(/"([^"]+)"/g)];
  const tests = [...texts]
    .filter(([path]) => /^test\/.*\.(cc|ts|json)$/.test(path))
    .map(([, text]) => text.replace(/"\s*\n\s*"/g, ''));
  return named
    .map((match) => match[1] ?? '')
    .filter((name) => !tests.some((text) => text.includes(name)));
}

const offline = 'docs/offline-writes.md';

/** Objections of docs/offline-writes.md without a test, and tests that it names by title and file of which there is none. */
export function missingAnswers(texts: ReadonlyMap<string, string>): string[] {
  const [, ...sections] = (texts.get(offline) ?? '').split(/^## /m);
  return sections.flatMap((section) => {
    const title = section.split('\n')[0] ?? '';
    // The last one sums up.
    if (title === 'When not to') return [];
    const named = [...section.matchAll(/^- "([^"]+)" \(`([^`]+)`\)/gm)];
    if (named.length === 0) return [`${title}: no test`];
    return named.flatMap(([, test = '', path = '']) =>
      texts.get(path)?.includes(test) ? [] : test,
    );
  });
}
