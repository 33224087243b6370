'use client';
// Rendered on the server too, where importing the package does nothing.
import { useEffect, useRef } from 'react';
import { startNotes } from '../src/notes.js';

export function Notes() {
  const root = useRef(null);
  useEffect(() => {
    if (root.current?.childElementCount === 0) startNotes(root.current);
  }, []);
  return <main ref={root} />;
}
