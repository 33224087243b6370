import { http, open } from 'skerry';
import schema from './schema.js';

const user = new URLSearchParams(location.search).get('user') ?? 'ada';
const find = (selector) => document.querySelector(selector);

const opening = open({
  name: 'notes',
  schema,
  user,
  scopes: 'all',
  remote: http('/v1', { token: async () => `dev:${user}` }),
});

find('form').onsubmit = async (event) => {
  event.preventDefault();
  const text = find('input').value.trim();
  find('input').value = '';
  const db = await opening;
  if (text !== '') db.transact((tx) => tx.notes.create({ text }));
};

const db = await opening;
db.notes.orderBy('createdAt').subscribe((notes) => {
  find('ul').replaceChildren(
    ...notes.map(({ id, text }) => {
      const item = document.createElement('li');
      const remove = document.createElement('button');
      remove.textContent = '×';
      remove.ariaLabel = `Remove ${text}`;
      remove.onclick = () => db.transact((tx) => tx.notes.delete(id));
      item.append(text, remove);
      return item;
    }),
  );
});

const showStatus = ({ phase, pending }) => {
  find('.status').textContent = `${user}: ${phase}${pending > 0 ? `, ${pending} to send` : ''}`;
};
showStatus(db.sync.status);
db.sync.subscribe(showStatus);
