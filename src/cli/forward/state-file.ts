import { isAbsolute, join } from 'node:path'
import { failure, invalidUsage } from '../../client/errors.ts'
import { makeFolder } from '../../client/private-folder.ts'
import type { Environment } from '../../lib/process-input.ts'
import { systemCodeNote } from '../../lib/system-error.ts'

/**
 * Returns the path of a file that outlives the process: in the folder that systemd gives to a service, or in this user's own for
 * state, which is made. Throws CallerError if the environment names neither, or the folder cannot be made.
 * https://specifications.freedesktop.org/basedir-spec/latest/
 */
export async function stateFile(name: string, env: Environment): Promise<string> {
  const { STATE_DIRECTORY = '', XDG_STATE_HOME = '', HOME = '' } = env
  // systemd names several with colons between them
  const [service = ''] = STATE_DIRECTORY.split(':')
  if (isAbsolute(service)) return join(service, name)
  const state = isAbsolute(XDG_STATE_HOME) ? XDG_STATE_HOME : HOME && join(HOME, '.local/state')
  if (!state) throw invalidUsage('there is no place for the cursor, for HOME is not set: give --cursor')
  const folder = join(state, 'jeton')
  await makeFolder(folder).catch(cause => {
    throw failure(
      `no folder for the cursor: ${folder} cannot be made${systemCodeNote(cause)}: give --cursor`,
      cause,
    )
  })
  return join(folder, name)
}
