/** What all bundles have in common. Their code runs on the oldest Node that package.json names. */
export const options = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  // prefers the packages' ES modules, from which esbuild removes what is not used
  mainFields: ['module', 'main'],
  // so that paths are the same where node_modules is a link
  preserveSymlinks: true,
}

/** For bundles in several files: what only some commands or requests need is loaded when they need it. */
export const splitOptions = {
  ...options,
  format: 'esm',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  outExtension: { '.js': '.mjs' },
}
