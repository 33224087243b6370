// The module of the schema of adopted tables, as a developer would write it.

import type { SchemaDescription } from '../sql/description.ts';
import type { AdoptedProp, AdoptedTable } from './plan.ts';

function propText({ type, isOptional, members, ref }: AdoptedProp): string {
  const optional = isOptional ? '.optional()' : '';
  if (ref !== undefined) {
    const rule = ref.onDelete === null ? '' : `, { onDelete: '${ref.onDelete}' }`;
    return `t.ref(${JSON.stringify(ref.table)}${rule})${optional}`;
  }
  if (type === 'enum') return `t.enum(${JSON.stringify(members)})${optional}`;
  return `t.${type}()${optional}`;
}

/** The text of a module that exports the schema as default. */
export function schemaText(tables: readonly AdoptedTable[], version: number): string {
  const lines = tables.flatMap(({ name, props }) => [
    `    ${name}: table({`,
    ...props.map((prop) => `      ${prop.prop}: ${propText(prop)},`),
    '    }),',
  ]);
  return [
    "import { schema, t, table } from 'skerry';",
    '',
    'export default schema(',
    '  {',
    ...lines,
    '  },',
    `  { version: ${version} },`,
    ');',
    '',
  ].join('\n');
}

/** The same as a description. */
export function schemaOf(tables: readonly AdoptedTable[]): SchemaDescription {
  return {
    version: 1,
    accepts: [],
    tables: tables.map(({ name, props }) => ({
      name,
      ids: 'uuid',
      autosubscribe: false,
      props: props.map(({ prop, type, isOptional, members, ref }) => ({
        ...{ name: prop, type, optional: isOptional, index: false, unique: false },
        ...(type === 'enum' ? { enum: { values: members } } : {}),
        ...(ref === undefined ? {} : { ref: { ...ref, touch: false } }),
      })),
    })),
  };
}
