// Goal: what a comment or a page cites is there. Method: the rules of citations.ts over every file, and over a few lines
// that break them.
import { describe, expect, it } from 'vitest';
import {
  citationProblems,
  documentsOf,
  linkProblems,
  missingAnswers,
  missingTests,
} from './citations.ts';
import { paths, texts } from './texts.ts';

const pages = documentsOf(
  new Map([
    ['docs/design.md', '# A\n## The chain\n## Invariants\n\n1. *One*: a\n2. *Two*: b\n\n## End\n'],
    ['docs/window.md', '## 2. Start\n```\n# no heading\n```\n'],
    ['src/a.h', ''],
  ]),
);

describe('a citation', () => {
  it('names a heading that exists, also over the end of a line', () => {
    const problems = (text: string) => citationProblems('src/a.h', text, pages);
    expect(problems('// Exactly once (docs/design.md, "The chain").')).toEqual([]);
    expect(problems('// Exactly once (docs/design.md,\n// "The\n// chain").')).toEqual([]);
    expect(problems('// docs/design.md, "The chain" and "Forks"')).toHaveLength(1);
    expect(problems('// docs/gone.md, "The chain"')).toHaveLength(2);
    expect(problems('# docs/window.md, "no heading"')).toHaveLength(1);
  });

  it('names a section that exists, in its own page or in another', () => {
    expect(citationProblems('src/a.h', '// docs/window.md, section 2', pages)).toEqual([]);
    expect(citationProblems('src/a.h', '// docs/window.md, section 3', pages)).toHaveLength(1);
    expect(citationProblems('src/a.h', '// see section 2', pages)).toHaveLength(1);
    expect(citationProblems('src/a.h', '// RFC 7518, section 3.2', pages)).toEqual([]);
    expect(citationProblems('docs/window.md', 'as in section 2', pages)).toEqual([]);
    expect(citationProblems('docs/window.md', 'as in section 9', pages)).toHaveLength(1);
  });

  it('names an invariant that exists, and no document from outside', () => {
    expect(citationProblems('src/a.h', '// invariant 2', pages)).toEqual([]);
    expect(citationProblems('src/a.h', '// invariant 3', pages)).toHaveLength(1);
    expect(citationProblems('src/a.h', '// as DESIGN says', pages)).toHaveLength(1);
    expect(citationProblems('src/a.h', '// as API.md and docs/gone.md say', pages)).toHaveLength(2);
    expect(citationProblems('src/a.h', '// window.md and docs/design.md', pages)).toEqual([]);
    expect(citationProblems('docs/a.md', '[x](design.md), ../docs/window.md', pages)).toEqual([]);
  });
});

describe('a link', () => {
  it('leads to a file, and to a heading in it', () => {
    const problems = (link: string) => linkProblems('docs/design.md', `[x](${link})`, pages);
    expect(problems('window.md#2-start')).toEqual([]);
    expect(problems('../src/a.h')).toEqual([]);
    expect(problems('https://example.com')).toEqual([]);
    expect(problems('gone.md')).toHaveLength(1);
    expect(problems('#the-chain')).toEqual([]);
    expect(problems('#the-rope')).toHaveLength(1);
  });
});

describe('a hole of the design', () => {
  it('has every test that it names, also the second one', () => {
    const named = 'Test: "a"; of the\n  retry: "b c". Tests: "d", "e\n  f".';
    const missing = (tests: string) =>
      missingTests(
        new Map([
          ['docs/design.md', `## Holes that were closed\n\n1. ${named}\n\n## End\n"g"\n`],
          ['test/a_test.cc', tests],
        ]),
      );
    expect(
      missing('TEST_CASE("a") TEST_CASE("b "\n  "c") TEST_CASE("d") TEST_CASE("e f")'),
    ).toEqual([]);
    expect(missing('TEST_CASE("d")')).toEqual(['a', 'b c', 'e f']);
  });
});

describe('a threat', () => {
  it('has every test that its row names', () => {
    const page = 'A "word".\n\n| threat | tests |\n|---|---|\n| "x" | "a", "b" |\n';
    const texts = new Map([
      ['docs/security.md', page],
      ['test/a.test.ts', "test('a', () => {})"],
    ]);
    expect(missingTests(texts)).toEqual(['b']);
  });
});

describe('an objection to offline writes', () => {
  it('has a test, which is in the file that is named', () => {
    const missing = (page: string) =>
      missingAnswers(
        new Map([
          ['docs/offline-writes.md', `# Offline\n\n"t" (\`no\`)\n\n${page}`],
          ['test/a.test.ts', "test('a', () => {})"],
        ]),
      );
    expect(missing('## Clocks\n\n- "a" (`test/a.test.ts`)\n')).toEqual([]);
    expect(missing('## Clocks\n\n- "a" (`test/b.test.ts`)\n- "b" (`test/a.test.ts`)')).toEqual([
      'a',
      'b',
    ]);
    expect(missing('## Clocks\n\nNone.\n\n## When not to\n\nNever.\n')).toEqual([
      'Clocks: no test',
    ]);
  });
});

describe('the repository', () => {
  const documents = documentsOf(texts, paths);

  it('cites headings that exist', () =>
    expect([...texts].flatMap(([path, text]) => citationProblems(path, text, documents))).toEqual(
      [],
    ));

  it('links to files and headings that exist', () =>
    expect([...texts].flatMap(([path, text]) => linkProblems(path, text, documents))).toEqual([]));

  it('has a test for each hole, threat and objection that its documents name', () => {
    expect(documents.invariants).toBe(17);
    expect(missingTests(texts)).toEqual([]);
    expect(texts.has('docs/offline-writes.md')).toBe(true);
    expect(missingAnswers(texts)).toEqual([]);
  });
});
