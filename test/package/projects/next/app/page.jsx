// A server component: it imports the package, and renders what is known without a browser.
import { connection } from 'next/server';
import { app } from '../src/schema.js';
import { Notes } from './notes.jsx';

export default async function Page() {
  // Rendered for each request, because of the nonce.
  await connection();
  return (
    <>
      <h1>
        Tables:{' '}
        {app
          .toJSON()
          .tables.map(({ name }) => name)
          .join(', ')}
      </h1>
      <Notes />
    </>
  );
}
