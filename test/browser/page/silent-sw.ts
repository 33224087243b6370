// A service worker that never answers.
addEventListener('message', () => {});
