// The page of `npm run bench -- rules`: what the rules of an application, and undo, cost a write, until `transact` returns. All
// variants are in one page, and write by turns.
import { open, schema, t, table } from 'skerry';
import { median, numbers } from './measure.ts';

const rows = 10_000;
const batch = 1_000;
const props = { name: t.string(), country: t.string().index(), population: t.number() };
const notNegative = ({ population }: { readonly population: number }) =>
  population < 0 ? 'It is not negative.' : undefined;

const schemas = {
  none: schema({ cities: table(props) }, { version: 1 }),
  table: schema({ cities: table(props, { validate: notNegative }) }, { version: 1 }),
  schema: schema(
    { cities: table(props) },
    {
      version: 1,
      validate: (reader, changed) =>
        changed.flatMap(({ table, id }) => {
          const city = reader.cities.get(id);
          const message = city && notNegative(city);
          return message ? [{ table, id, message }] : [];
        }),
    },
  ),
};
type Kind = keyof typeof schemas;

const random = numbers();

async function writerOf(kind: Kind) {
  const db = await open({ name: `rules-${kind}`, schema: schemas[kind] });
  for (let at = 0; at < rows; at += batch) {
    const some = Array.from({ length: batch }, (_, i) => ({
      ...{ name: `city ${at + i}`, country: `C${i % 100}`, population: at + i },
    }));
    await db.transact((tx) => tx.cities.createMany(some), { undoable: false }).durable;
  }
  const ids = db.cities.ids();
  return (undoable: boolean) => {
    const id = ids[random(ids.length)] ?? '';
    const population = random(1e9);
    const from = performance.now();
    const { durable } = db.transact((tx) => tx.cities.update(id, { population }), { undoable });
    const ms = performance.now() - from;
    return { ms, durable };
  };
}

/** Medians of so many writes, in ms, by turns: each is durable before the next begins. */
async function writes(count: number): Promise<Record<string, number>> {
  const kinds = Object.keys(schemas) as Kind[];
  const writers = await Promise.all(
    kinds.map(async (kind) => [kind, await writerOf(kind)] as const),
  );
  const times = new Map<string, number[]>();
  for (let i = 0; i < count; i++) {
    for (const [kind, write] of writers) {
      for (const undoable of kind === 'none' ? [true, false] : [true]) {
        const { ms, durable } = write(undoable);
        await durable;
        const name = undoable ? kind : 'not undoable';
        times.set(name, [...(times.get(name) ?? []), ms]);
      }
    }
  }
  return Object.fromEntries([...times].map(([name, list]) => [name, median(list)]));
}

globalThis.bench = { cold: null, writes };
