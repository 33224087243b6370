// Goal: one concept has one name. Method: the declarations of all sources; and each rule on a few lines that break it.

import { describe, expect, it } from 'vitest';
import { texts } from './texts.ts';
import { repeatedTypes, sharedNames, sharedTypes, unknownTerms } from './type-names.ts';

describe('the repository', () => {
  it('declares an exported type name once in js, and once in the server', () => {
    for (const area of ['js/', 'server/src/']) expect(repeatedTypes(texts, area)).toEqual([]);
  });

  it('declares few type names both in js and in the server', () =>
    expect(sharedTypes(texts, 'js/', 'server/src/')).toEqual(Object.keys(sharedNames)));

  it('has the types that its glossary names', () =>
    expect(unknownTerms(texts.get('ARCHITECTURE.md') ?? '', texts)).toEqual([]));
});

describe('repeated types', () => {
  const of = (...files: readonly string[]) =>
    repeatedTypes(new Map(files.map((text, i) => [`js/${i}.ts`, text])), 'js/');

  it('are exported names that another file declares, exported or not', () => {
    expect(of('export interface Kept {}', 'type Kept = 1;')).toEqual(['Kept: js/0.ts, js/1.ts']);
    expect(of('export class Kept {}', 'export abstract class Kept {}')).toHaveLength(1);
  });

  it('are not imports, comments, names of one file, or local names', () => {
    expect(of('export interface Kept {}', "import type { Kept } from './0.ts';")).toEqual([]);
    expect(of('export interface Kept {}', "import {\n  type Kept,\n} from './0.ts';")).toEqual([]);
    expect(of('export type Kept = 1;', '/*\ntype Kept = 2;\n*/')).toEqual([]);
    expect(of('export type Kept = 1;\nexport class Kept {}')).toEqual([]);
    expect(of('interface Parts {}', 'interface Parts {}')).toEqual([]);
  });

  it('are looked for in one area', () =>
    expect(
      repeatedTypes(
        new Map([
          ['js/a.ts', 'export type Row = 1;'],
          ['server/src/a.ts', 'export type Row = 2;'],
        ]),
        'js/',
      ),
    ).toEqual([]));
});

describe('shared types', () => {
  it('are names of both areas, without those that are generated', () => {
    const all = new Map([
      ['js/a.ts', 'export type Row = 1;\ninterface Local {}\nexport type Scope = 1;'],
      ['server/src/a.ts', 'type Row = 2;\ninterface Local {}'],
      ['server/src/base/wire-types.ts', 'export interface Scope {}'],
    ]);
    expect(sharedTypes(all, 'js/', 'server/src/')).toEqual(['Row']);
  });
});

describe('unknown terms', () => {
  const page = (row: string) => `\n## Glossary\n\n| word |\n|---|\n${row}\n\n## Next\n`;
  const all = new Map([
    ['src/log/op.h', 'struct Op {\n};\n'],
    ['js/a.ts', 'export class Stream {}'],
  ]);

  it('are names that their own side does not declare', () => {
    expect(unknownTerms(page('| op | a `change` | `Op` | `Stream` | |'), all)).toEqual([]);
    expect(unknownTerms(page('| op | a change | `Stream` | `Op` | `Op` |'), all)).toHaveLength(3);
    expect(unknownTerms(page('| op | a change | `Ops` | | |'), all)).toEqual(['op: Ops']);
  });

  it('are noticed where there is no glossary at all', () =>
    expect(unknownTerms('', all)).toHaveLength(1));
});
