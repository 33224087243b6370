// Names of types: in js and in the server each exported name means one thing, and the glossary lists names that exist.

import { codeOf } from './rules.ts';

type Texts = ReadonlyMap<string, string>;

/** Names that package and server both declare. Within each of the two, an exported name is declared once. */
export const sharedNames: Readonly<Record<string, string>> = {
  Database: "The application's, and the SQL database: no file imports both.",
  Problem: "What an application's row breaks, and an answer of HTTP: no file imports both.",
  PropType: 'The same concept. The server does not import the package.',
  Role: 'The same concept. The server does not import the package.',
  SchemaError: 'The same concept. The server does not import the package.',
};

/** Their names are those of structs of the core. */
const generated = ['server/src/base/wire-types.ts', 'js/core/core-types.ts'];

const declaration =
  /^[ \t]*(export )?(?:declare )?(?:abstract )?(?:class|interface|type|enum) ([A-Z]\w*)(?=\s*[={<]|\s+(?:extends|implements)\b)/gm;
const cppDeclaration =
  /\b(?:struct|class|enum class) ([A-Z]\w*)(?: final)?\s*[:{]|\busing ([A-Z]\w*) =/g;

/** The files that declare each name; and whether one of them exports it. */
function declared(texts: Texts, area: string): Map<string, { files: string[]; exported: boolean }> {
  const all = new Map<string, { files: string[]; exported: boolean }>();
  for (const [path, text] of texts) {
    if (!path.startsWith(area) || !/\.tsx?$/.test(path)) continue;
    for (const [, isExported, name = ''] of codeOf(text).matchAll(declaration)) {
      const { files, exported } = all.get(name) ?? { files: [], exported: false };
      // A type and a function of one name, or overloads, are in one file.
      const more = files.includes(path) ? files : [...files, path];
      all.set(name, { files: more, exported: exported || isExported !== undefined });
    }
  }
  return all;
}

/** Exported names that a second file of the area declares. */
export function repeatedTypes(texts: Texts, area: string): string[] {
  return [...declared(texts, area)]
    .filter(([, { files, exported }]) => exported && files.length > 1)
    .map(([name, { files }]) => `${name}: ${files.join(', ')}`);
}

/** Names that both areas declare and at least one exports, but for generated ones. */
export function sharedTypes(texts: Texts, one: string, other: string): string[] {
  const written = new Map([...texts].filter(([path]) => !generated.includes(path)));
  const others = declared(written, other);
  return [...declared(written, one)]
    .filter(([name, { exported }]) => others.has(name) && (exported || others.get(name)?.exported))
    .map(([name]) => name)
    .sort();
}

/** The names in the glossary's columns that no source of their side declares. */
export function unknownTerms(page: string, texts: Texts): string[] {
  const table = page.split('\n## Glossary\n')[1]?.split('\n## ')[0] ?? '';
  const cpp = new Set(
    [...texts]
      .filter(([path]) => /^(src|wasm)\/.*\.h$/.test(path))
      .flatMap(([, text]) =>
        [...codeOf(text).matchAll(cppDeclaration)].map(([, name, alias]) => name ?? alias),
      ),
  );
  const sides = [cpp, declared(texts, 'js/'), declared(texts, 'server/src/')];
  const rows = table.split('\n').filter((line) => line.startsWith('|'));
  if (rows.length < 3) return ['There is no glossary.'];
  return rows.slice(2).flatMap((row) => {
    const [, word = '', , ...columns] = row.split('|');
    return sides.flatMap((side, i) =>
      [...(columns[i] ?? '').matchAll(/`(\w+)`/g)]
        .filter(([, name = '']) => !side.has(name))
        .map(([, name]) => `${word.trim()}: ${name}`),
    );
  });
}
