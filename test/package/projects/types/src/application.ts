// An application in types: what is right compiles, and what is wrong does not.
import {
  type Database,
  defineMutators,
  http,
  open,
  type Row,
  type SyncStatus,
  schema,
  t,
  table,
} from 'skerry';
import { syncWorker } from 'skerry/service-worker';
import { memory } from 'skerry/testing';

const app = schema(
  {
    lists: table({ name: t.string() }),
    todos: table({ list: t.ref('lists'), text: t.string(), done: t.boolean().default(false) }),
  },
  { version: 1 },
);

const mutators = defineMutators(app, {
  addTodo: (tx, { list, text }: { list: string; text: string }) => tx.todos.create({ list, text }),
});

export async function use(): Promise<SyncStatus> {
  const db = await open({
    name: 'types',
    schema: app,
    mutators,
    scopes: 'all',
    user: 'ada',
    remote: http('/v1', { token: async () => 'dev:ada' }),
    wasmUrl: new URL('https://example.org/skerry.wasm'),
    host: memory(),
  });
  const list: string = db.transact((tx) => tx.lists.create({ name: 'Today' })).result;
  const todo = db.mutate.addTodo({ list, text: 'Row out' });
  await todo.durable;
  const rows = db.todos.where('list', '=', list).all();
  const done: boolean[] = rows.map((row) => row.done);
  // @ts-expect-error a text is no number
  const wrong: number[] = rows.map((row) => row.text);
  // @ts-expect-error there is no such prop
  db.transact((tx) => tx.lists.create({ nmae: 'Today' }));
  // @ts-expect-error nor such a mutator
  db.mutate.addTodos({ list, text: `${done.length} ${wrong.length}` });
  await db.close();
  return db.sync.status;
}

export function serve(): void {
  syncWorker({ name: 'types', schema: app, remote: http('/v1') });
}

export type Todo = Row<typeof app, 'todos'>;

export function texts(todos: readonly Todo[]): string[] {
  return todos.map((todo) => todo.text);
}

/** Any database has this, whatever its schema. */
export function nameOf(db: Database): string {
  return db.name;
}
