// What was measured, as Markdown: first ours beside the floor and the best of the others, then all systems.

import { digits, markdown, median } from '../lib/report.mjs';

/** The floor that ratios are told of: what is durable, live and in step at the least cost that we know. */
const kFloor = 'idblog-group';
const kMega = 1e6;

/** name, unit, value of a repetition, and whether more is better. */
const kColumns = [
  { name: 'create 100,000', unit: 'ms', value: ({ bulk }) => bulk.ms },
  { name: 'reload', unit: 'ms', value: ({ reload }) => reload.ms },
  { name: 'restart', unit: 'ms', value: ({ restart }) => restart.ms },
  { name: 'writes one by one', unit: '/s', more: true, value: ({ writes }) => writes.rate },
  { name: 'writes at once', unit: '/s', more: true, value: ({ writes }) => writes.atOnce },
  {
    name: 'reads by id',
    unit: '/s',
    more: true,
    value: ({ reads }) => Math.max(reads.rate, reads.atOnce ?? 0),
  },
  { name: 'new query', unit: 'ms', value: ({ top }) => top.new },
  { name: 'the same again', unit: 'ms', value: ({ top }) => top.again },
  { name: 'live query', unit: 'ms', value: ({ live }) => live ?? Number.NaN },
  { name: 'another window', unit: 'ms', value: ({ windows }) => windows },
  { name: 'private memory', unit: 'MB', value: ({ processes }) => processes.renderer / kMega },
  { name: 'page memory', unit: 'MB', value: ({ pageMemory }) => pageMemory / kMega },
  { name: 'stored', unit: 'MB', value: ({ storedBytes }) => storedBytes / kMega },
];
const kWeight = { name: 'brotli', unit: 'KB' };

function measuredBy({ value }, results) {
  try {
    return value(results);
  } catch (error) {
    // A step that failed or that this system does not have: its cell stays empty.
    if (error instanceof TypeError) return Number.NaN;
    throw error;
  }
}

const weightOf = (weights) => Object.values(weights).reduce((sum, bytes) => sum + bytes, 0) / 1e3;

/** For each system its medians, by the name of a column. */
function medians(measured, weighed) {
  return measured.map(({ system, repetitions }) => {
    const of = (column) =>
      median(
        repetitions
          .map(({ results }) => measuredBy(column, results))
          .filter((v) => Number.isFinite(v)),
      );
    const values = Object.fromEntries(kColumns.map((column) => [column.name, of(column)]));
    values[kWeight.name] = weightOf(weighed.get(system.name));
    return { system, values };
  });
}

const amount = (value, unit) => (Number.isFinite(value) ? `${digits(value)} ${unit}` : '–');

/** How many times as good as another: above 1 is better, whichever way the workload counts. */
function ratio({ more }, ours, theirs) {
  const times = more ? ours / theirs : theirs / ours;
  return Number.isFinite(times) ? `${digits(times)}×` : '–';
}

function best(all, { name, more }) {
  return (
    all
      .filter(({ system, values }) => system.kind === 'peer' && Number.isFinite(values[name]))
      // What is not durable when it says so is no measure of what is.
      .filter(({ system }) => !(system.volatile && name.startsWith('writes')))
      .sort((a, b) => (more ? b.values[name] - a.values[name] : a.values[name] - b.values[name]))[0]
  );
}

function oursTable(all) {
  const ours = all.filter(({ system }) => system.kind === 'ours');
  const floor = all.find(({ system }) => system.name === kFloor);
  if (ours.length === 0) return '';
  const head = ['workload'];
  for (const { system } of ours) head.push(system.name, 'of the floor', 'of the best peer');
  head.push(kFloor, 'best peer');
  const rows = [...kColumns, kWeight].map((column) => {
    const { name, unit } = column;
    const peer = best(all, column);
    const cells = ours.flatMap(({ values }) => [
      amount(values[name], unit),
      ratio(column, values[name], floor?.values[name]),
      ratio(column, values[name], peer?.values[name]),
    ]);
    const peerCell = peer ? `${amount(peer.values[name], unit)} (${peer.system.name})` : '–';
    return [name, ...cells, amount(floor?.values[name], unit), peerCell];
  });
  return markdown(head, rows);
}

function allTable(all) {
  const columns = [...kColumns, kWeight];
  return markdown(
    ['system', ...columns.map(({ name, unit }) => `${name}, ${unit}`)],
    all.map(({ system, values }) => [
      system.name,
      ...columns.map(({ name }) => (Number.isFinite(values[name]) ? digits(values[name]) : '–')),
    ]),
  );
}

/** What a page loads of ours, and when. */
function weightLine(measured, weighed) {
  const ours = measured.find(({ system }) => system.kind === 'ours');
  if (!ours) return [];
  const weights = weighed.get(ours.system.name);
  const sum = (pattern) =>
    weightOf(Object.fromEntries(Object.entries(weights).filter(([file]) => pattern.test(file))));
  const window = sum(/^(adapter\.js|skerry\.wasm)$/);
  const worker = sum(/^(worker\.js|package-(shared|worker)-.*\.js)$/);
  const images = sum(/^skerry-image\.(js|wasm)$/);
  return [
    `Brotli of ours: the window ${digits(window)} KB (minified JavaScript and wasm), what its sync worker loads besides ${digits(worker)} KB, the image module, when a worker needs it, ${digits(images)} KB.`,
  ];
}

/** Why cells are empty that should not be. */
function failureLines(measured) {
  const lines = measured.flatMap(({ system, repetitions }) =>
    repetitions.flatMap(({ failures }) =>
      failures.map(([step, message]) => `- ${system.name}, ${step}: ${message.split('\n')[0]}`),
    ),
  );
  return lines.length > 0 ? ['', 'What failed:', '', ...new Set(lines)] : [];
}

/** The machine's own speed, ms, repetition by repetition. */
export function speedsOf(measured) {
  const rounds = Math.max(...measured.map(({ repetitions }) => repetitions.length));
  return Array.from({ length: rounds }, (_, round) =>
    measured.map(({ repetitions }) => repetitions[round]?.results.calibrated),
  )
    .flat()
    .filter((ms) => ms !== undefined);
}

/** How many times the floor each workload of ours costs. */
export function peersRatios(measured, weighed) {
  const all = medians(measured, weighed);
  const floor = all.find(({ system }) => system.name === kFloor);
  return all
    .filter(({ system }) => system.kind === 'ours')
    .flatMap(({ system, values }) =>
      [...kColumns, kWeight].map(({ name, more }) => {
        const [ours, least] = [values[name], floor?.values[name]];
        return { name: `${system.name}: ${name}`, ratio: more ? least / ours : ours / least };
      }),
    );
}

/** `measured`: [{ system, repetitions }]; `weighed`: bytes by system and file. */
export function peersText(measured, weighed, { cores, repetitions }) {
  const all = medians(measured, weighed);
  const speeds = speedsOf(measured);
  const speed = [Math.min(...speeds), median(speeds), Math.max(...speeds)].map((ms) =>
    ms.toFixed(0),
  );
  return [
    oursTable(all),
    '',
    allTable(all),
    '',
    `Medians of ${repetitions} rounds through all systems; Chromium; ${cores} cores. The machine's own speed (a loop of 1e8 steps): ${speed[1]} ms (${speed[0]} to ${speed[2]}).`,
    'Ratios above 1 are better than the floor, or than the peer. Peers whose writes are called done before they are durable are left out of the best there.',
    ...weightLine(measured, weighed),
    ...failureLines(measured),
  ].join('\n');
}
