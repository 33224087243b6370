// The application of all projects: notes that are in step with a server, and an archive on the device alone.
import { http, open } from 'skerry';
import { app } from './schema.js';

/** Builds the page below `root`, and opens both databases. `more`: further options of `open`. */
export async function startNotes(root, more = {}) {
  const element = (tag, id, text = '') => {
    const made = Object.assign(document.createElement(tag), { id, textContent: text });
    root.append(made);
    return made;
  };
  const status = element('p', 'status', 'opening');
  const mode = element('p', 'mode');
  const text = element('input', 'text');
  const add = element('button', 'add', 'Add');
  const fill = element('button', 'fill', 'Fill the archive');
  const archived = element('p', 'archived');
  const list = element('ul', 'notes');

  try {
    const { serviceWorker = false, ...both } = more;
    const db = await open({
      name: 'notes',
      schema: app,
      user: 'ada',
      scopes: 'all',
      defaultRealm: 'public',
      remote: http('/v1', { token: async () => 'dev:ada' }),
      serviceWorker,
      ...both,
    });
    const archive = await open({ name: 'archive', schema: app, ...both });

    db.notes.orderBy('text').subscribe((notes) => {
      list.replaceChildren(
        ...notes.map((note) =>
          Object.assign(document.createElement('li'), { textContent: note.text }),
        ),
      );
    });
    db.sync.subscribe((sync) => {
      mode.textContent = sync.mode;
      if (sync.error) status.textContent = `${sync.error.name}: ${sync.error.message}`;
    });
    archive.notes
      .orderBy('text', 'desc')
      .limit(1)
      .subscribe(() => {
        archived.textContent = String(archive.notes.count());
      });

    add.onclick = async () => {
      const note = db.transact((tx) => tx.notes.create({ text: text.value }));
      await note.durable;
      status.textContent = 'durable';
      await note.confirmed;
      status.textContent = 'confirmed';
    };
    fill.onclick = async () => {
      const body = 'Long enough to be worth compacting into an image. '.repeat(4);
      for (let batch = 0; batch < 4; batch++) {
        const rows = Array.from({ length: 5000 }, (_, i) => ({ text: `${batch}/${i}: ${body}` }));
        await archive.transact((tx) => tx.notes.createMany(rows)).durable;
      }
    };
    status.textContent = 'ready';
  } catch (error) {
    status.textContent = `${error.name}: ${error.message}`;
  }
}
