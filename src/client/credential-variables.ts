import type { Environment } from '../lib/process-input.ts'

/** Every variable that a credential is read from, or with which a new JWT is requested as the caller. */
const CREDENTIAL_VARIABLES = [
  'JETON_JWT',
  'JETON_JWT_FILE',
  'JETON_API_KEY',
  'ACTIONS_ID_TOKEN_REQUEST_URL',
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
] as const

/** Those whose value is the credential itself. */
const SECRET_VARIABLES = ['JETON_JWT', 'JETON_API_KEY', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'] as const

/** Variables that say something about the credential, and are none. */
type HintVariable = 'GITHUB_ACTIONS' | 'JETON_AUDIENCE'

/**
 * What the choice of a credential may read of the environment. The type has no other variable: a way to authenticate that
 * reads a new one does not compile before the variable is listed above, and so withheld from commands.
 */
export type CredentialEnvironment = Readonly<
  Partial<Record<(typeof CREDENTIAL_VARIABLES)[number] | HintVariable, string | undefined>>
>

/**
 * Returns an environment without the caller's credentials: without the variables that jeton reads them from, and without
 * every other one with the same value, such as the JWT that a CI service put into a variable of its own. Files with a
 * credential stay where they are, and what jeton does not read itself stays too.
 */
export function withholdCredentials(env: Environment): Environment {
  const withheld: readonly string[] = CREDENTIAL_VARIABLES
  const secrets = SECRET_VARIABLES.flatMap(name => env[name]?.trim() || [])
  const kept = Object.entries(env).filter(
    ([name, value = '']) => !withheld.includes(name) && !secrets.includes(value.trim()),
  )
  return Object.fromEntries(kept)
}
