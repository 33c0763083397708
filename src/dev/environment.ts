import type { Environment } from '../lib/process-input.ts'
import { awsEnvironment } from './aws/environment.ts'
import type { StsStandIn } from './aws/sts.ts'

/**
 * What leads to AWS, to a proxy, to another configuration or, with a client's variables, to another database: in any case,
 * because programs read both.
 */
const DROPPED = /^(AWS_.*|JETON_(?!LOG_FORMAT$).*|PG.*|ACTIONS_ID_TOKEN_.*|(HTTPS?|ALL|NO)_PROXY)$/i
/** Lambda sets these in every execution environment. */
const LAMBDA_VARIABLES = ['AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_RUNTIME_API', 'LAMBDA_TASK_ROOT']

/**
 * Returns the environment of a server whose AWS is a stand-in: without whatever leads to real AWS, such as credentials,
 * profiles and endpoints, and with the stand-in as the endpoint of every service, though it only knows the calls of STS that
 * jeton makes.
 */
export function devEnvironment(
  env: Environment,
  { url, region, credentials }: Pick<StsStandIn, 'url' | 'region' | 'credentials'>,
): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !DROPPED.test(entry[0]),
  )
  return {
    ...Object.fromEntries(kept),
    ...awsEnvironment({ region, ...credentials }),
    AWS_ENDPOINT_URL: url,
  }
}

/** Whether this is an execution environment on Lambda. */
export function isOnLambda(env: Environment): boolean {
  return LAMBDA_VARIABLES.some(name => env[name] !== undefined)
}
