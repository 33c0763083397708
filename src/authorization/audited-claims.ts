import type { Claim, Principal } from '../authentication/principal.ts'
import { type ClaimObject, isClaimList, isClaimObject, ownClaim } from './claims.ts'
import { type ClaimSpec, isNested } from './grant.ts'

/** The claims that the grants of one issuer speak of: what an audit record tells of a principal, and no more. */
export interface AuditedClaims {
  /** Each as a path from the top of the JWT, in the order of the file, none twice. */
  readonly paths: readonly (readonly string[])[]
  /** Those claims alone, nested as in the JWT. Objects where a grant wants text, and text where it wants objects, are left out. */
  pick(principal: Principal): ClaimObject
}

interface Node {
  /** Some grant wants a scalar here. */
  leaf: boolean
  /** Some grant wants an object here, with these members. */
  readonly members: Tree
}

type Tree = Map<string, Node>

/** Gathers the names in claim specs; of grants without any, nothing is picked. */
export function collectAuditedClaims(specs: readonly (ClaimSpec | undefined)[]): AuditedClaims {
  const tree: Tree = new Map()
  for (const spec of specs) if (spec) addNames(tree, spec)
  return { paths: pathsOf(tree), pick: principal => pickMembers(tree, principal.claims) }
}

function addNames(tree: Tree, spec: ClaimSpec): void {
  for (const [name, wanted] of Object.entries(spec)) {
    const node = tree.get(name) ?? { leaf: false, members: new Map() }
    tree.set(name, node)
    if (isNested(wanted)) addNames(node.members, wanted)
    else node.leaf = true
  }
}

function pathsOf(tree: Tree): string[][] {
  return [...tree].flatMap(([name, { leaf, members }]) => [
    ...(leaf ? [[name]] : []),
    ...pathsOf(members).map(path => [name, ...path]),
  ])
}

function pickMembers(tree: Tree, claims: ClaimObject): ClaimObject {
  const picked: [string, Claim][] = []
  for (const [name, node] of tree) {
    const claim = ownClaim(claims, name)
    const value = claim === undefined ? undefined : pickValue(node, claim)
    if (value !== undefined) picked.push([name, value])
  }
  // Defines members rather than assigning them: one named `__proto__` stays a member.
  return Object.fromEntries(picked)
}

function pickValue(node: Node, claim: Claim): Claim | undefined {
  if (isClaimList(claim)) {
    return claim
      .filter(element => !isClaimList(element))
      .map(element => pickValue(node, element))
      .filter(element => element !== undefined)
  }
  if (!isClaimObject(claim)) return node.leaf ? claim : undefined
  return node.members.size > 0 ? pickMembers(node.members, claim) : undefined
}
