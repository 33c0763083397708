// runs `post` of the action: a runner passes no argument that says so, and a step that was cancelled has saved no state
process.argv.splice(2, Infinity, 'post')
await import('./index.mjs')
