const { dirname } = require('node:path')

/** Returns what `readConfigured` does, for osls, which cannot load TypeScript. */
module.exports = async ({ resolveVariable }) => {
  const deployment = {
    folder: dirname(__dirname),
    config: await resolveVariable('param:config'),
    configInS3: await resolveVariable('param:configInS3'),
    basePath: String(await resolveVariable('param:basePath')),
  }
  const { tsImport } = await import('tsx/esm/api')
  const { readConfigured } = await tsImport('./configured.ts', __filename)
  try {
    return await readConfigured(deployment)
  } catch (cause) {
    // osls would print the stack of an Error, which hides the problems
    throw `${deployment.config}:\n${cause.message}`
  }
}
