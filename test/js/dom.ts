/** A document for React, in Node. Import it before `react-dom`. Nothing else of a browser is there: the package runs as in Node. */
import { Window } from 'happy-dom';

const window = new Window();
const { document, navigator, MutationObserver } = window;
Object.assign(globalThis, { window, document, navigator, MutationObserver });
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
