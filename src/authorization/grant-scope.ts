import { API_KEY_ISSUER } from '../authentication/api-key.ts'
import { isExact } from './claims.ts'
import { alternatives, type ClaimSpec, type GrantSpec, isNested, type Scalar } from './grant.ts'
import { SHARED_OIDC_PROVIDERS, type SharedOidcProvider } from './shared-oidc-providers.ts'
import { isOnlyWildcards } from './wildcard.ts'

/** One wanted claim with its alternatives. A nested claim is named `a.b`; the subject is named `sub`. */
interface ClaimCondition {
  readonly claim: string
  readonly wanted: readonly Scalar[]
}

/**
 * Returns a sentence that says what is wrong with the principals that a grant means, and what to write; undefined if nothing
 * is. A grant must name a subject or a claim, or say `anyone: true`. For a provider that issues JWTs to everybody
 * (`SHARED_OIDC_PROVIDERS`) it must also pin an owner, spelled out, in every alternative. Conditions that can never hold are
 * reported too. `issuerUrl` is undefined for API keys. Does not know who may get a JWT from an issuer outside that table.
 */
export function findScopeProblem(
  { principal }: GrantSpec,
  issuerUrl: string | undefined,
): string | undefined {
  const { subject, claims, anyone = false } = principal
  if (anyone && (subject !== undefined || claims !== undefined))
    return '`anyone: true` contradicts a subject or claims beside it: leave one or the other out'
  if (principal.issuer === API_KEY_ISSUER && claims !== undefined)
    return 'an API key carries no claims, so these never hold: name the key by `subject`'
  const conditions = [
    ...(subject === undefined ? [] : [{ claim: 'sub', wanted: alternatives(subject) }]),
    ...conditionsOf(claims ?? {}, []),
  ]
  const impossible = conditions.map(impossibleProblem).find(problem => problem !== undefined)
  if (impossible !== undefined) return impossible
  const provider = issuerUrl === undefined ? undefined : findSharedProvider(issuerUrl)
  if (provider && !conditions.some(condition => pinsOwner(provider, condition)))
    return missingOwnerProblem(provider, conditions)
  if (!anyone && !conditions.some(namesSomebody))
    return 'this names nobody: write a `subject` or at least one claim (`*` and `**` alone do not count), or `anyone: true` if everybody that the issuer knows is meant'
  return undefined
}

function conditionsOf(spec: ClaimSpec, path: readonly string[]): ClaimCondition[] {
  return Object.entries(spec).flatMap(([name, wanted]) =>
    isNested(wanted)
      ? conditionsOf(wanted, [...path, name])
      : [{ claim: [...path, name].join('.'), wanted: alternatives(wanted) }],
  )
}

function namesSomebody({ wanted }: ClaimCondition): boolean {
  return !wanted.some(value => isOnlyWildcards(String(value)))
}

function impossibleProblem({ claim, wanted }: ClaimCondition): string | undefined {
  if (wanted.length === 0) return `${claim} lists nothing, so it never holds: list what is wanted`
  const hasInexact = wanted.some(value => typeof value === 'number' && !isExact(value))
  if (!hasInexact) return undefined
  return `${claim} is a number too large to be read exactly, so it never holds: write it in quotes`
}

/** The case of the host and slashes at the end make no difference: the issuer is the same. */
function findSharedProvider(issuerUrl: string): SharedOidcProvider | undefined {
  const url = normalize(issuerUrl)
  return SHARED_OIDC_PROVIDERS.find(({ issuers }) => issuers.some(issuer => normalize(issuer) === url))
}

function normalize(issuer: string): string {
  const trimmed = issuer.trim()
  const { origin, pathname } = URL.canParse(trimmed)
    ? new URL(trimmed)
    : { origin: trimmed.toLowerCase(), pathname: '' }
  return (origin + pathname).replace(/\/+$/, '')
}

function pinsOwner({ ownerClaims }: SharedOidcProvider, { claim, wanted }: ClaimCondition): boolean {
  const shapes = Object.hasOwn(ownerClaims, claim) ? ownerClaims[claim] : undefined
  if (shapes === undefined) return false
  return wanted.every(value => shapes.some(shape => spellsOutOwner(String(value), shape)))
}

function spellsOutOwner(pattern: string, shape: string): boolean {
  const [before = '', after = ''] = shape.split('OWNER')
  if (!pattern.startsWith(before)) return false
  const fromOwner = pattern.slice(before.length)
  const wildcard = fromOwner.indexOf('*')
  if (wildcard < 0) return fromOwner !== ''
  return after !== '' && fromOwner.slice(0, wildcard).indexOf(after) > 0
}

function missingOwnerProblem(provider: SharedOidcProvider, conditions: readonly ClaimCondition[]): string {
  const { name, example, ownerClaims, misleadingClaims = {} } = provider
  const choices = Object.entries(ownerClaims).map(([claim, [shape = 'OWNER']]) =>
    shape === 'OWNER' ? claim : `${claim} (${shape}…)`,
  )
  const remarks = conditions.flatMap(({ claim }) => {
    if (Object.hasOwn(ownerClaims, claim))
      return `; ${claim} does not spell out its owner in each alternative`
    if (Object.hasOwn(misleadingClaims, claim)) return `; ${claim} does not pin: ${misleadingClaims[claim]}`
    return []
  })
  return [
    `the whole world can get a JWT from ${name}, so pin its owner without a wildcard`,
    `by one of ${choices.join(', ')}, as in \`${example}\`${remarks.join('')}`,
  ].join(' ')
}
