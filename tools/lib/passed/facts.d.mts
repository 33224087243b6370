export function environment(env?: Readonly<Record<string, string | undefined>>): [string, string][];
export function packages(root: string): string;
