/** The tabs of `<skerry-inspector>`, in their order. */
export const sectionNames = [
  ...(['state', 'actions', 'outbox', 'scopes', 'realms'] as const),
  ...(['problems', 'queries', 'storage', 'requests', 'log'] as const),
] as const;
export type SectionName = (typeof sectionNames)[number];
