import type { InspectorView } from '../../inspector/index.ts';

/**
 * A file of `db.export` with the view in it, in a member of its own: `db.import` takes it as it takes any export, and leaves the
 * view alone. The export, which may be large, is not read for it.
 */
export function withView(file: Blob, view: InspectorView): Blob {
  const rest = `,"inspector":${JSON.stringify(view)}}`;
  return new Blob([file.slice(0, file.size - 1), rest], { type: 'application/json' });
}
