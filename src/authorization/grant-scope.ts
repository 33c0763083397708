import { API_KEY_ISSUER } from '../authentication/api-key.ts'
import { type ClaimCondition, claimConditions } from './claim-condition.ts'
import { isExact } from './claims.ts'
import type { GrantSpec } from './grant.ts'
import { missingRequirements, ownerPins, spellsOutOwner } from './tenancy/owner-pin.ts'
import {
  type OwnerRules,
  ownerClaimNames,
  ownerShapes,
  type Requirement,
} from './tenancy/shared-oidc-provider.ts'
import type { Tenancy } from './tenancy/tenancy.ts'
import { isOnlyWildcards } from './wildcard.ts'

/**
 * Returns a sentence that says what is wrong with the principals that a grant means, and what to write; undefined if nothing
 * is. A grant must name a subject or a claim, or say `anyone: true`. If strangers can get JWTs from its issuer, it must also
 * pin an owner, spelled out, in every alternative. Conditions that can never hold are reported too. `tenancy` is undefined
 * for API keys, and for an issuer that is reported itself.
 */
export function findScopeProblem(
  { principal }: Pick<GrantSpec, 'principal'>,
  tenancy: Tenancy | undefined,
): string | undefined {
  const { subject, claims, anyone = false } = principal
  if (anyone && (subject !== undefined || claims !== undefined))
    return '`anyone: true` contradicts a subject or claims beside it: leave one or the other out'
  if (principal.issuer === API_KEY_ISSUER && claims !== undefined)
    return 'an API key carries no claims, so these never hold: name the key by `subject`'
  const conditions = claimConditions(principal)
  const impossible = conditions.map(impossibleProblem).find(problem => problem !== undefined)
  if (impossible !== undefined) return impossible
  if (tenancy?.kind === 'shared' && ownerPins(tenancy.rules, conditions).length === 0)
    return missingOwnerProblem(tenancy.rules, conditions)
  if (!anyone && !conditions.some(namesSomebody))
    return 'this names nobody: write a `subject` or at least one claim (`*` and `**` alone do not count), or `anyone: true` if everybody that the issuer knows is meant'
  return undefined
}

/** Returns a sentence on a grant that pins an owner only by claims that may change hands; undefined for all others. */
export function findScopeDoubt({ principal }: GrantSpec, tenancy: Tenancy | undefined): string | undefined {
  if (tenancy?.kind !== 'shared') return undefined
  const { rules } = tenancy
  const { doubtfulClaims = {} } = rules
  const pins = ownerPins(rules, claimConditions(principal)).map(({ claim }) => claim)
  const [doubtful] = pins
  if (doubtful === undefined || !pins.every(claim => Object.hasOwn(doubtfulClaims, claim))) return undefined
  const better = ownerClaimNames(rules).filter(claim => !Object.hasOwn(doubtfulClaims, claim))
  const instead = better.length === 0 ? '' : `: ${better.join(' or ')} would pin for good`
  return `only ${pins.join(' and ')} pins the owner: ${doubtfulClaims[doubtful]}${instead}`
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

function missingOwnerProblem(rules: OwnerRules, conditions: readonly ClaimCondition[]): string {
  return [
    `the whole world can get a JWT from ${rules.name}, so pin its owner without a wildcard`,
    `by one of ${choices(rules).join(', ')}, as in \`${rules.example}\`${remarks(rules, conditions).join('')}`,
  ].join(' ')
}

function choices(rules: OwnerRules): string[] {
  return ownerClaimNames(rules).map(claim => {
    const [shape = 'OWNER'] = ownerShapes(rules, claim)
    const needed = missingRequirements(rules, { claim, conditions: [] })
    const beside = needed.length === 0 ? '' : ` (beside ${needed.map(requirementText).join(' and ')})`
    return `${claim}${shape === 'OWNER' ? '' : ` (${shape}…)`}${beside}`
  })
}

function remarks(rules: OwnerRules, conditions: readonly ClaimCondition[]): string[] {
  const { misleadingClaims = {} } = rules
  return conditions.flatMap(condition => {
    const { claim } = condition
    if (Object.hasOwn(misleadingClaims, claim)) return `; ${claim} does not pin: ${misleadingClaims[claim]}`
    if (ownerShapes(rules, claim).length === 0) return []
    if (!spellsOutOwner(rules, condition))
      return `; ${claim} does not spell out its owner in each alternative`
    const needed = missingRequirements(rules, { claim, conditions })
    return `; ${claim} pins only beside ${needed.map(requirementText).join(' and ')}`
  })
}

function requirementText({ claim, value }: Requirement): string {
  return value === undefined ? `a ${claim} that is spelled out` : `${claim}: ${value}`
}
