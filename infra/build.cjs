const { execFile } = require('node:child_process')
const { promisify } = require('node:util')

/** A plugin for osls that builds before it packages, so that an old build is never deployed by accident. */
module.exports = function build({ serviceDir }) {
  const runBuild = () => promisify(execFile)(process.execPath, ['build.mjs'], { cwd: serviceDir })
  return { hooks: { 'before:package:createDeploymentArtifacts': runBuild } }
}
