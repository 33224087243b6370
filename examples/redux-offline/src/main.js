import { decremented, filterChanged, incremented, store, todoAdded, todoToggled } from './store.js';
import './style.css';

document.querySelector('#app').innerHTML = `
  <h1>Redux, offline</h1>
  <p><button id="less">−</button> <output id="value"></output> <button id="more">+</button></p>
  <form><input id="text" aria-label="What is to be done" /><button>Add</button></form>
  <ul></ul>
  <p>
    <button value="all">All</button> <button value="open">Open</button>
  </p>`;

const find = (selector) => document.querySelector(selector);

function render() {
  const { counter, todos, filter } = store.getState();
  find('#value').textContent = counter.value;
  const shown = todos.filter(({ completed }) => filter === 'all' || !completed);
  find('ul').replaceChildren(
    ...shown.map(({ id, text, completed }) => {
      const item = document.createElement('li');
      const button = document.createElement('button');
      button.textContent = text;
      button.className = completed ? 'done' : '';
      button.onclick = () => store.dispatch(todoToggled(id));
      item.append(button);
      return item;
    }),
  );
  for (const button of document.querySelectorAll('button[value]'))
    button.disabled = button.value === filter;
}

find('#more').onclick = () => store.dispatch(incremented());
find('#less').onclick = () => store.dispatch(decremented());
for (const button of document.querySelectorAll('button[value]'))
  button.onclick = () => store.dispatch(filterChanged(button.value));
find('form').onsubmit = (event) => {
  event.preventDefault();
  const text = find('#text').value.trim();
  if (text !== '') store.dispatch(todoAdded(text));
  find('#text').value = '';
};

store.subscribe(render);
render();
