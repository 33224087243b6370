// No database: what a page and its browser take by themselves.
export default { open: async () => {}, count: async () => 0 };
