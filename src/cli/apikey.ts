import { newApiKey } from '../authentication/api-key.ts'
import { NAME_FORM, NAME_PATTERN } from '../config/config.ts'
import type { Output } from './check.ts'

const NAME = new RegExp(NAME_PATTERN)

/** `jeton apikey NAME`: a new key, told this once, and the line for the configuration, which holds its hash alone. */
export function apikeyCommand(name: string, { out, err }: { out: Output; err: Output }): 0 | 2 {
  if (!NAME.test(name)) {
    err.write(`jeton: the name of a key has ${NAME_FORM}\n`)
    return 2
  }
  const { key, sha256 } = newApiKey()
  out.write(
    `key, shown this once: ${key}\n\nfor the configuration:\n\napiKeys:\n  ${name}: { sha256: "${sha256}" }\n`,
  )
  return 0
}
