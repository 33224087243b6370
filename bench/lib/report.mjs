// The results as a table of Markdown, and their place in docs/performance.md.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle] + sorted[middle - 1]) / 2;
}

/** Three digits that mean something. */
function digits(value) {
  if (!Number.isFinite(value)) return '–';
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 2 : 3);
}

/** Rows are { name, unit, ours, floor, floorName }. */
export function table(rows) {
  const cells = rows.map(({ name, unit, ours, floor, floorName }) => [
    name,
    `${digits(ours)} ${unit}`,
    floorName ? `${digits(floor)} ${unit} (${floorName})` : '–',
    floorName ? `${digits(ours / floor)}×` : '–',
  ]);
  const head = ['workload', 'ours', 'floor', 'ratio'];
  const widths = head.map((title, i) =>
    Math.max(title.length, ...cells.map((row) => row[i].length)),
  );
  const line = (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(head), rule, ...cells.map(line)].join('\n');
}

/** Replaces the section of these benchmarks, or begins the file with one. */
export function writeSection(path, text, name = 'quick') {
  const begin = `<!-- bench ${name}: begin -->`;
  const end = `<!-- bench ${name}: end -->`;
  const section = `${begin}\n${text}\n${end}`;
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '# Performance\n\n';
  const from = old.indexOf(begin);
  const to = old.indexOf(end);
  const whole =
    from >= 0 && to > from
      ? old.slice(0, from) + section + old.slice(to + end.length)
      : `${old.trimEnd()}\n\n${section}\n`;
  writeFileSync(path, whole);
}
