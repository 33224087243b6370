export interface ProjectParts {
  readonly folders: readonly string[];
  readonly deep?: boolean;
  readonly except: readonly string[];
  readonly always?: boolean;
  readonly on?: readonly string[];
  readonly programs?: readonly string[];
}

export const published: Readonly<Record<string, string>>;
export const everyProject: readonly string[];
export const projects: Readonly<
  Record<
    'unit' | 'tidy' | 'server' | 'server-postgres' | 'browser' | 'engines' | 'package',
    ProjectParts
  >
>;
export const reads: Readonly<Record<string, readonly string[]>>;
export function patterns(project: ProjectParts): string[];
