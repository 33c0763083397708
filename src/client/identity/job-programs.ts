import type { PlatformHost } from './platform.ts'
import { givenIn } from './row-parts.ts'
import { isInPath, runForJwt } from './run-for-jwt.ts'

const CIRCLE_VARIABLES = givenIn(['CIRCLE_OIDC_TOKEN_V2', 'CIRCLE_OIDC_TOKEN'])

/** Returns what a CircleCI job lacks: both the program and the variables. */
export function circleLacks(host: PlatformHost): string | undefined {
  return isInPath('circleci', host) || CIRCLE_VARIABLES.isHere(host)
    ? undefined
    : 'the program `circleci` is not in PATH, and CIRCLE_OIDC_TOKEN_V2 is not set: in a container of your own, pass JETON_JWT on'
}

/**
 * Returns a JWT of the organization's own issuer (that of `--root-issuer` is everybody's), from `circleci`, which does not mask
 * what it prints; else that of the job's variables, whose audience is the organization's id.
 * https://circleci.com/docs/oidc-tokens-with-custom-claims/
 */
export function requestCircleToken(host: PlatformHost): Promise<string> {
  if (!isInPath('circleci', host)) return CIRCLE_VARIABLES.request(host)
  const claims = JSON.stringify({ aud: host.audience })
  return runForJwt(['circleci', 'run', 'oidc', 'get', '--claims', claims], host)
}

/** Returns what a Buildkite job lacks. */
export function buildkiteLacks(host: PlatformHost): string | undefined {
  return isInPath('buildkite-agent', host)
    ? undefined
    : 'the program `buildkite-agent` is not in PATH: mount it into the container, with the job API’s socket (`mount-buildkite-agent: true`)'
}

/** Returns a JWT that has the ids of organization and pipeline, which are in it only if asked for, beside their names. */
export function requestBuildkiteToken(host: PlatformHost): Promise<string> {
  return runForJwt(
    [
      ...(['buildkite-agent', 'oidc', 'request-token', '--audience', host.audience] as const),
      ...['--claim', 'organization_id,pipeline_id'],
    ],
    host,
  )
}
