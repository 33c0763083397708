import { awsErrorFacts } from './error-facts.ts'
import { explainAwsError, explainWith } from './errors.ts'

/** What the SDK writes before the message of an error of its search. */
const PREFIX = /^@smithy\/property-provider (?:->|\(!\)) /

/** What a search says of each place where it finds nothing, and what that place needs; the first counts that it says. */
const PLACES: readonly (readonly [RegExp, string])[] = [
  [
    /^Command failed: |credential_process (?:did not return|returned)/,
    "the credential_process of the profile fails, or prints no valid credentials: run it as jeton's user",
  ],
  [
    /requires multi-factor authentication/,
    'the profile asks for a code of MFA, which nobody can enter here: give jeton a role, or another profile',
  ],
  [/aws login|^Failed to load token from /, 'the session of the profile has expired: run aws login'],
  [
    /^Could not resolve credentials using profile: \[(?!default\])/,
    'the profile that AWS_PROFILE or a source_profile names is not in ~/.aws/config or ~/.aws/credentials (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE), or has no credentials',
  ],
  [
    /^Error: |^Server responded with status|HTTP credential provider|container metadata|^URL not accepted/,
    'the address in AWS_CONTAINER_CREDENTIALS_FULL_URI or AWS_CONTAINER_CREDENTIALS_RELATIVE_URI gives no credentials: check the role of the task, or the Pod Identity agent',
  ],
]
const NOWHERE =
  'none are in the environment or a profile, and no task, pod or instance has a role: give it one, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
const HANGS =
  'the search does not end: a credential_process, the metadata of the instance, or STS does not answer'

/**
 * Returns why a search for jeton's own credentials found none, and what to do: one line without a secret. `said` is what the
 * SDK told its logger meanwhile, for the error alone names only the last place that it looked at.
 */
export function describeMissingCredentials(cause: unknown, said: readonly string[]): string {
  const remedy = findRemedy(cause, said)
  return remedy === undefined ? explainAwsError(cause) : explainWith(cause, remedy)
}

function findRemedy(cause: unknown, said: readonly string[]): string | undefined {
  if (awsErrorFacts(cause).name === 'TimeoutError') return HANGS
  const reasons = said.map(text => text.replace(PREFIX, ''))
  const found = PLACES.find(([pattern]) => reasons.some(reason => pattern.test(reason)))
  if (found !== undefined) return found[1]
  const isNowhere =
    cause instanceof Error && cause.message === 'Could not load credentials from any providers'
  return isNowhere ? NOWHERE : undefined
}
