import { newApiKey } from '../authentication/api-key.ts'
import { NAME_FORM, NAME_PATTERN } from '../config/config.ts'
import { USAGE_ERROR } from './exit-codes.ts'
import type { CommandOutput } from './streams.ts'

const NAME = new RegExp(NAME_PATTERN)

/**
 * `jeton apikey NAME`: prints a new key, which is shown only this once, and the configuration for it, which contains only its
 * hash. Returns the exit code: 0, or 2 for a name that no configuration accepts.
 */
export function apikeyCommand(name: string, { stdout, stderr }: CommandOutput): number {
  if (!NAME.test(name)) {
    stderr.write(`jeton: the name of a key has ${NAME_FORM}\n`)
    return USAGE_ERROR
  }
  const { key, sha256 } = newApiKey()
  stdout.write(
    `key, shown this once: ${key}\n\nfor the configuration:\n\napiKeys:\n  ${name}: { sha256: "${sha256}" }\n`,
  )
  return 0
}
