import { memo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import {
  SkerryProvider,
  useDatabase,
  useLive,
  useMutate,
  useQuery,
  useSyncStatus,
} from 'skerry/react';
import { db, user } from './database.js';
import './style.css';

/** A form with one line of text. */
function Line({ label, onEnter }) {
  const [text, setText] = useState('');
  const submit = (event) => {
    event.preventDefault();
    if (text.trim() === '') return;
    onEnter(text.trim());
    setText('');
  };
  return (
    <form onSubmit={submit}>
      <input
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={(e) => setText(e.target.value)}
      />
      <button type="submit">Add</button>
    </form>
  );
}

/** Renders only when its own row changes. */
const Todo = memo(({ todo }) => {
  const { setDone, remove } = useMutate();
  return (
    <li>
      <label className={todo.done ? 'done' : ''}>
        <input
          type="checkbox"
          checked={todo.done}
          onChange={() => setDone({ id: todo.id, done: !todo.done })}
        />{' '}
        {todo.text}
      </label>
      <button
        type="button"
        aria-label={`Remove ${todo.text}`}
        onClick={() => remove({ id: todo.id })}
      >
        ×
      </button>
    </li>
  );
});

function Members({ realm }) {
  const { realms } = useDatabase();
  const members = useLive((all) => all.realms.members(realm), [realm]);
  const isOwner = realms.role(realm) === 'owner';
  return (
    <>
      <p className="status">Shared with {members.map((one) => one.user).join(', ')}</p>
      {isOwner && (
        <Line label="Invite somebody" onEnter={(name) => realms.invite(realm, name, 'writer')} />
      )}
    </>
  );
}

function List({ list }) {
  const todos = useQuery(
    (all) => all.todos.where('list', '=', list.id).orderBy('createdAt'),
    [list.id],
  );
  const { addTodo } = useMutate();
  return (
    <section aria-label={list.name}>
      <h2>{list.name}</h2>
      <ul>
        {todos.map((todo) => (
          <Todo key={todo.id} todo={todo} />
        ))}
      </ul>
      <Line label={`Add to ${list.name}`} onEnter={(text) => addTodo({ list: list.id, text })} />
      <Members realm={list.realm} />
    </section>
  );
}

function Lists() {
  const { realms } = useDatabase();
  const lists = useQuery((all) => all.lists.orderBy('createdAt'));
  const { addList } = useMutate();
  // The realm and the list in it are made at once, also offline.
  const add = (name) => addList({ name, realm: realms.create().result });
  return (
    <>
      {lists.map((list) => (
        <List key={list.id} list={list} />
      ))}
      <Line label="New list" onEnter={add} />
    </>
  );
}

function Status() {
  const { pending, phase } = useSyncStatus();
  return (
    <p className="status">
      {user}: {phase}
      {pending > 0 && `, ${pending} to send`}
    </p>
  );
}

createRoot(document.querySelector('#app')).render(
  <SkerryProvider db={db}>
    <h1>Lists to share</h1>
    <Status />
    <Lists />
  </SkerryProvider>,
);
