import resolve from '@rollup/plugin-node-resolve';

export default {
  input: 'src/main.js',
  output: { dir: 'beside', format: 'es' },
  plugins: [resolve({ browser: true })],
};
