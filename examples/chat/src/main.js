import { http, open } from 'skerry';
import schema from './schema.js';
import './style.css';

const user = new URLSearchParams(location.search).get('user') ?? 'ada';

document.querySelector('#app').innerHTML = `
  <h1>Chat</h1>
  <p class="status" role="status"></p>
  <button id="earlier" hidden>Earlier</button>
  <ul aria-label="Messages"></ul>
  <form><input aria-label="Message" placeholder="Say something" /><button>Say</button></form>`;
const find = (selector) => document.querySelector(selector);

const opening = open({
  name: 'chat',
  schema,
  user,
  scopes: 'all',
  remote: http('/v1', { token: async () => `dev:${user}` }),
});

// With --dev everybody may write into the realm `public`.
const chatOf = (db) => db.stream('chat', { realm: 'public', keep: 50 });

find('form').onsubmit = async (event) => {
  event.preventDefault();
  const text = find('input').value.trim();
  find('input').value = '';
  const db = await opening;
  if (text !== '') chatOf(db).append({ type: 'said', text });
};

const db = await opening;
const chat = chatOf(db);
/** Entries of pages that were asked for, older than those that are shown live. */
let older = [];
/** Until a page is shorter than it was asked for. */
let hasMore = true;

function line({ value, author, at, madeAt, pending }) {
  const item = document.createElement('li');
  item.className = pending ? 'pending' : '';
  const time = (at ?? madeAt).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  // Whoever may write the realm may append anything.
  const text = typeof value?.text === 'string' ? value.text : '(something else)';
  item.textContent = `${time} ${author ?? user}: ${text}`;
  return item;
}

function render() {
  const live = chat.entries;
  const isLive = new Set(live.map(({ id }) => id));
  find('ul').replaceChildren(
    ...older.filter(({ id }) => !isLive.has(id)).map(line),
    ...live.map(line),
  );
  find('#earlier').hidden = !hasMore || live.length === 0;
}
chat.subscribe(render);

find('#earlier').onclick = async () => {
  const [first] = [...older, ...chat.entries];
  try {
    const page = await chat.history({ before: first, limit: 20 });
    older = [...page, ...older];
    hasMore = page.length === 20;
    render();
  } catch {
    find('.status').textContent = 'Earlier messages are on the server, which cannot be reached.';
  }
};

const showStatus = ({ phase, pending }) => {
  find('.status').textContent = `${user}: ${phase}${pending > 0 ? `, ${pending} to send` : ''}`;
};
showStatus(db.sync.status);
db.sync.subscribe(showStatus);
