// The codes of docs/stuck.md.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = fileURLToPath(new URL('../../docs/stuck.md', import.meta.url));

/** A table of the page: of each row the codes in its first cell, and its second cell. */
function table(text: string, heading: string): { codes: string[]; phase: string }[] {
  const section = text.split(`\n## ${heading}`)[1]?.split('\n## ')[0];
  if (!section) throw new Error(`docs/stuck.md has no "${heading}".`);
  return [...section.matchAll(/^\| ([^|]*)\| ([^|]*)\|/gm)].map(([, first = '', phase = '']) => ({
    codes: [...first.matchAll(/`([a-z_-]+)`/g)].map(([, code = '']) => code),
    phase: phase.trim(),
  }));
}

/** Of each code of the status the phases that the page says it comes with. */
export function listedPhases(): ReadonlyMap<string, readonly string[]> {
  const rows = table(readFileSync(path, 'utf8'), 'Of the whole database');
  return new Map(
    rows.flatMap(({ codes, phase }) =>
      codes.map((code) => [code, phase.split(/, (?:or )?/)] as const),
    ),
  );
}

/** The codes of the status, and those of the inbox. */
export function listedCodes(): { readonly status: string[]; readonly inbox: string[] } {
  const inbox = table(readFileSync(path, 'utf8'), 'In the inbox').flatMap(({ codes }) => codes);
  return { status: [...listedPhases().keys()], inbox };
}
