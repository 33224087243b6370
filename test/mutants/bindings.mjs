// Mistakes in the bindings for React, Redux and TanStack DB (mutants.mjs).

export const redux = [
  {
    name: 'an action that cannot be stored is reduced in the store',
    test: 'test/js/redux.test.ts',
    file: 'js/redux/group.ts',
    from: '      this.#waiting = null;\n      this.#current = from;\n      throw error;',
    to: '',
  },
  {
    name: 'an action whose reducer throws is stored',
    test: 'test/js/redux.test.ts',
    file: 'js/redux/group.ts',
    from: '    const to = this.slices.reduce(from, action);\n    const waiting',
    to: '    this.#stream?.dispatch(action);\n    const to = this.slices.reduce(from, action);\n    const waiting',
  },
  {
    name: 'the store begins without the actions of before the database was open',
    test: 'test/js/redux.test.ts',
    file: 'js/redux/group.ts',
    from: '      else this.#early.push(action);',
    to: '',
  },
  {
    name: 'actions of others come as a whole',
    test: 'test/js/redux.test.ts',
    file: 'js/redux/group.ts',
    from: 'path && path.length <= maxSteps ? path[0] : undefined',
    to: 'path && path.length > maxSteps ? path[0] : undefined',
  },
  {
    name: 'a preloaded state is replaced by the initial one',
    test: 'test/js/redux.test.ts',
    file: 'js/redux/group.ts',
    from: '|| (this.#isPreloaded && !stream.whole)) return;',
    to: ') return;',
  },
];

export const react = [
  {
    name: 'a hook reads anew in each render',
    test: 'test/js/react.test.ts',
    file: 'js/react/hooks.ts',
    from: '(db ? make(db as RegisteredDatabase).live() : null), [db, ...deps]);',
    to: '(db ? make(db as RegisteredDatabase).live() : null), [{}, db, deps]);',
  },
  {
    name: 'a hook does not follow its dependencies',
    test: 'test/js/react.test.ts',
    file: 'js/react/hooks.ts',
    from: '(db ? make(db as RegisteredDatabase).live() : null), [db, ...deps]);',
    to: '(db ? make(db as RegisteredDatabase).live() : null), [db]);',
  },
  {
    name: 'an error of open is not told',
    test: 'test/js/react.test.ts',
    file: 'js/react/context.ts',
    from: 'if (outcome instanceof Failure) throw outcome.error;',
    to: 'if (outcome instanceof Failure) return createElement(Context.Provider, { value: onServer }, children);',
  },
];

export const tanstack = [
  {
    name: 'a collection does not hear of rows that are gone',
    test: 'test/js/tanstack.test.ts',
    file: 'js/tanstack/index.ts',
    from: 'for (const id of known.keys()) if (!now.has(id))',
    to: 'for (const id of known.keys()) if (now.size < 0)',
  },
  {
    name: 'a prop that is removed from a row of a collection stays',
    test: 'test/js/tanstack.test.ts',
    file: 'js/tanstack/index.ts',
    from: '[name, value ?? null]',
    to: '[name, value]',
  },
];
