/** What `<skerry-inspector>` says. Each text can be replaced. Names of tables, props and actions are the application's. */
import type { InspectedStage } from '../../inspector/index.ts';
import type { SectionName } from './section-names.ts';

export interface InspectorMessages {
  /** The name of the list of tabs, for screen readers. */
  readonly label: string;
  readonly tabs: Readonly<Record<SectionName, string>>;
  readonly filter: string;
  readonly pause: string;
  /** `at`: since when, ms. */
  paused(at: number, language: string | undefined): string;
  readonly export: string;
  readonly exporting: string;
  exported(file: string): string;
  exportFailed(detail: string): string;
  /** There is nothing in this tab. */
  readonly empty: string;
  /** There is, but the filter hides it. */
  readonly notFound: string;
  /** A member of the feed, by its name there. */
  fact(name: string): string;
  readonly stages: Readonly<Record<InspectedStage, string>>;
  readonly yes: string;
  readonly no: string;
  readonly nothing: string;
}

/** `lastSyncedAt` is "Last synced at". */
function memberInWords(name: string): string {
  const words = name.replaceAll(/\p{Lu}/gu, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1).replace(/ ms$/, '');
}

const names: Readonly<Record<string, string>> = {
  n: 'Record',
  ms: 'Took',
  runMs: 'From nothing',
  updateMs: 'All updates',
  slowestMs: 'Slowest update',
  upto: 'Up to',
  id: 'Id',
  at: 'When',
  is: 'What',
};

export const inEnglish: InspectorMessages = {
  label: 'Parts of the inspector',
  tabs: {
    state: 'State',
    actions: 'Actions',
    outbox: 'Outbox',
    scopes: 'Scopes',
    realms: 'Realms',
    problems: 'Problems',
    queries: 'Queries',
    storage: 'Storage',
    requests: 'Requests',
    log: 'Log',
  },
  filter: 'Filter',
  pause: 'Pause',
  paused: (at, language) => `Paused at ${new Date(at).toLocaleTimeString(language)}.`,
  export: 'Export',
  exporting: 'Exporting …',
  exported: (file) => `Exported as ${file}.`,
  exportFailed: (detail) => `The export failed: ${detail}`,
  empty: 'Nothing here.',
  notFound: 'Nothing here has this text.',
  fact: (name) => names[name] ?? memberInWords(name),
  stages: {
    made: 'made',
    stored: 'stored',
    failed: 'not stored',
    held: 'held back',
    freed: 'freed',
    grouped: 'in an update',
    sent: 'sent',
    received: 'received',
    partly: 'partly confirmed',
    confirmed: 'confirmed',
    refused: 'refused',
  },
  yes: 'yes',
  no: 'no',
  nothing: '–',
};
