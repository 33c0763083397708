const { execFile } = require('node:child_process')
const { promisify } = require('node:util')

/** For osls: builds what is packaged, so that an old build is never deployed by accident. */
module.exports = function build({ serviceDir }) {
  const make = () => promisify(execFile)(process.execPath, ['build.mjs'], { cwd: serviceDir })
  return { hooks: { 'before:package:createDeploymentArtifacts': make } }
}
