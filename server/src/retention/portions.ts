/**
 * All rows of a table in the order of their names, `atOnce` in a statement. `read` returns the next ones after a name, and fewer
 * than that at the end.
 */
export async function* inPortions<Row>(
  read: (after: string) => Promise<readonly Row[]>,
  nameOf: (row: Row) => string,
  atOnce: number,
): AsyncGenerator<Row> {
  for (let after: string | null = ''; after !== null; ) {
    const rows: readonly Row[] = await read(after);
    yield* rows;
    const last = rows.at(-1);
    after = last === undefined || rows.length < atOnce ? null : nameOf(last);
  }
}
