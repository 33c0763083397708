import type { Claim, Principal } from '../authentication/principal.ts'
import { getOrCreate } from '../lib/maps.ts'
import { type ClaimObject, elementsOf, isClaimList, isClaimObject, ownClaim } from './claims.ts'
import { type ClaimSpec, isNested } from './grant.ts'

/** The claims that the grants of one issuer name: what an audit record says of a principal, and no more. */
export interface AuditedClaims {
  /** Each as a path from the top of the JWT, in the order of the file, none twice. */
  readonly paths: readonly (readonly string[])[]
  /**
   * Returns these claims alone, nested as in the JWT. Leaves out an object if only text is named there, and vice versa, and
   * elements of lists that no grant looks at.
   */
  pick(principal: Principal): ClaimObject
}

interface ClaimNode {
  /** Whether a grant names text here. */
  hasText: boolean
  /** The members of an object that grants name here. */
  readonly members: ClaimTree
}

type ClaimTree = Map<string, ClaimNode>

/** Returns the claims that these specs name; without specs, none. */
export function collectAuditedClaims(specs: readonly (ClaimSpec | undefined)[]): AuditedClaims {
  const tree: ClaimTree = new Map()
  for (const spec of specs) if (spec) addNames(tree, spec)
  return { paths: pathsOf(tree), pick: principal => pickMembers(tree, principal.claims) }
}

function addNames(tree: ClaimTree, spec: ClaimSpec): void {
  for (const [name, wanted] of Object.entries(spec)) {
    const node = getOrCreate(tree, { key: name, create: () => ({ hasText: false, members: new Map() }) })
    if (isNested(wanted)) addNames(node.members, wanted)
    else node.hasText = true
  }
}

function pathsOf(tree: ClaimTree): string[][] {
  return [...tree].flatMap(([name, { hasText, members }]) => [
    ...(hasText ? [[name]] : []),
    ...pathsOf(members).map(path => [name, ...path]),
  ])
}

function pickMembers(tree: ClaimTree, claims: ClaimObject): ClaimObject {
  const picked: [string, Claim][] = []
  for (const [name, node] of tree) {
    const claim = ownClaim(claims, name)
    const value = claim === undefined ? undefined : pickValue(node, claim)
    if (value !== undefined) picked.push([name, value])
  }
  // defines the members: assigning one named `__proto__` would set the prototype instead
  return Object.fromEntries(picked)
}

function pickValue(node: ClaimNode, claim: Claim): Claim | undefined {
  if (isClaimList(claim)) {
    return elementsOf(claim)
      .filter(element => !isClaimList(element))
      .map(element => pickValue(node, element))
      .filter(element => element !== undefined)
  }
  if (!isClaimObject(claim)) return node.hasText ? claim : undefined
  return node.members.size > 0 ? pickMembers(node.members, claim) : undefined
}
