const { dirname } = require('node:path')

/** For osls, which takes no TypeScript: what `readConfigured` makes of the configuration. */
module.exports = async ({ resolveVariable }) => {
  const deployment = {
    folder: dirname(__dirname),
    config: await resolveVariable('param:config'),
    configInS3: await resolveVariable('param:configInS3'),
  }
  const { tsImport } = await import('tsx/esm/api')
  const { readConfigured } = await tsImport('./configured.ts', __filename)
  try {
    return await readConfigured(deployment)
  } catch (cause) {
    // osls prints the stack, and the problems are what has to be read
    throw `${deployment.config}:\n${cause.message}`
  }
}
