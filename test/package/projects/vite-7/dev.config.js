// The one line that README names for the dev server of Vite 7 and older. The build does without.
export default { optimizeDeps: { exclude: ['skerry'] } };
