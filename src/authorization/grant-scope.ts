import { isExact } from './claims.ts'
import { alternatives, type ClaimSpec, type GrantSpec, isNested, type Scalar } from './grant.ts'
import { SHARED_OIDC_PROVIDERS, type SharedOidcProvider } from './shared-oidc-providers.ts'
import { isOnlyWildcards } from './wildcard.ts'

/** One wanted claim, nested ones as `a.b`; the subject counts as `sub`. */
interface Leaf {
  readonly claim: string
  readonly wanted: readonly Scalar[]
}

/**
 * Says in a sentence what is wrong with whom a grant means and what to write; undefined where nothing is.
 *
 * A grant names a subject or a claim, or says `anyone: true`. Where the whole world can get a JWT (`WORLDS`) it must also
 * pin an owner, spelled out, in every alternative. Conditions that can never hold are told too. `issuerUrl` is undefined
 * for API keys. Knows only the issuers in its table: of others it does not know who may get a JWT.
 */
export function findScopeProblem(
  { principal }: GrantSpec,
  issuerUrl: string | undefined,
): string | undefined {
  const { subject, claims, anyone = false } = principal
  const leaves = [
    ...(subject === undefined ? [] : [{ claim: 'sub', wanted: alternatives(subject) }]),
    ...leavesOf(claims ?? {}, []),
  ]
  const world = issuerUrl === undefined ? undefined : worldOf(issuerUrl)
  if (anyone && (subject !== undefined || claims !== undefined))
    return '`anyone: true` contradicts a subject or claims beside it: leave one or the other out'
  if (principal.issuer === 'apiKey' && claims !== undefined)
    return 'an API key carries no claims, so these never hold: name the key by `subject`'
  const dead = leaves.map(neverHolds).find(problem => problem !== undefined)
  if (dead !== undefined) return dead
  if (world && !leaves.some(leaf => pins(world, leaf))) return unpinned(world, leaves)
  if (!anyone && !leaves.some(names))
    return 'this names nobody: write a `subject` or at least one claim (`*` and `**` alone are none), or `anyone: true` where everybody that the issuer knows is meant'
  return undefined
}

function leavesOf(spec: ClaimSpec, path: readonly string[]): Leaf[] {
  return Object.entries(spec).flatMap(([name, wanted]) =>
    isNested(wanted)
      ? leavesOf(wanted, [...path, name])
      : [{ claim: [...path, name].join('.'), wanted: alternatives(wanted) }],
  )
}

function names({ wanted }: Leaf): boolean {
  return !wanted.some(value => isOnlyWildcards(String(value)))
}

function neverHolds({ claim, wanted }: Leaf): string | undefined {
  if (wanted.length === 0) return `${claim} lists nothing, so it never holds: list what is wanted`
  const inexact = wanted.find(value => typeof value === 'number' && !isExact(value))
  if (inexact === undefined) return undefined
  return `${claim} is a number too large to be read exactly, so it never holds: write it in quotes`
}

/** Hosts are compared without regard to case and a slash at the end makes no difference: both reach the same issuer. */
function worldOf(issuerUrl: string): SharedOidcProvider | undefined {
  const url = normalize(issuerUrl)
  return SHARED_OIDC_PROVIDERS.find(({ issuers }) => issuers.some(issuer => normalize(issuer) === url))
}

function normalize(issuer: string): string {
  const bare = issuer.trim()
  const { origin, pathname } = URL.canParse(bare)
    ? new URL(bare)
    : { origin: bare.toLowerCase(), pathname: '' }
  return (origin + pathname).replace(/\/+$/, '')
}

function pins(world: SharedOidcProvider, { claim, wanted }: Leaf): boolean {
  const shapes = Object.hasOwn(world.ownerClaims, claim) ? world.ownerClaims[claim] : undefined
  return (
    shapes !== undefined && wanted.every(value => shapes.some(shape => spellsOutOwner(String(value), shape)))
  )
}

function spellsOutOwner(pattern: string, shape: string): boolean {
  const [before = '', after = ''] = shape.split('OWNER')
  if (!pattern.startsWith(before)) return false
  const rest = pattern.slice(before.length)
  const wildcard = rest.indexOf('*')
  if (wildcard < 0) return rest !== ''
  return after !== '' && rest.slice(0, wildcard).indexOf(after) > 0
}

function unpinned(world: SharedOidcProvider, leaves: readonly Leaf[]): string {
  const ways = Object.entries(world.ownerClaims).map(([claim, [shape = 'OWNER']]) =>
    shape === 'OWNER' ? claim : `${claim} (${shape}…)`,
  )
  const remarks = leaves.flatMap(({ claim }) => {
    if (Object.hasOwn(world.ownerClaims, claim))
      return `${claim} does not spell out its owner in each alternative`
    const why = Object.hasOwn(world.misleadingClaims ?? {}, claim)
      ? world.misleadingClaims?.[claim]
      : undefined
    return why === undefined ? [] : `${claim} does not pin: ${why}`
  })
  return [
    `the whole world can get a JWT from ${world.name}, so pin its owner without a wildcard`,
    `by one of ${ways.join(', ')}, as in \`${world.example}\`${remarks.map(remark => `; ${remark}`).join('')}`,
  ].join(' ')
}
