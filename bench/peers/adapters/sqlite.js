// The official build, on OPFS by its pool of access handles, which only a worker may have: calls go there and back.
const answers = new Map();
let worker;
let count = 0;

const call = (name, ...args) =>
  new Promise((resolve, reject) => {
    answers.set(++count, { resolve, reject });
    worker.postMessage([count, name, args]);
  });
const remote =
  (name) =>
  (...args) =>
    call(name, ...args);

export default {
  open() {
    worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data: [id, result, failure] }) => {
      const { resolve, reject } = answers.get(id);
      answers.delete(id);
      if (failure) reject(new Error(failure));
      else resolve(result);
    };
    return call('open');
  },
  ...Object.fromEntries(
    ['bulk', 'count', 'get', 'update', 'top'].map((name) => [name, remote(name)]),
  ),
};
