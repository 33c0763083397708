import {
  alternatives,
  type ClaimSpec,
  isNested,
  type PrincipalSpec,
  type Scalar,
} from '../../authorization/grant.ts'
import { fitsForm, type KnownClaims, REGISTERED_CLAIMS } from '../../authorization/tenancy/known-claims.ts'
import { findNearSpelling } from '../../lib/near-spelling.ts'
import { didYouMean, namesText, type Report } from '../problems.ts'

/** Warns of claims that no JWT of an issuer has, as far as jeton knows it, and of values that a claim never has. */
export function warnOfClaims(
  { subject, claims = {} }: PrincipalSpec,
  { known, report }: { known: KnownClaims; report: Report },
): void {
  if (subject !== undefined) warnOfValues(subject, { known, name: 'sub', report: report.at('subject') })
  warnOfMembers(claims, { known, path: [], report: report.at('claims') })
}

interface MembersCheck {
  known: KnownClaims
  /** The names of the objects that these are members of. */
  path: readonly string[]
  report: Report
}

function warnOfMembers(claims: ClaimSpec, { known, path, report }: MembersCheck): void {
  for (const [name, wanted] of Object.entries(claims)) {
    const memberPath = [...path, name]
    const doubt = findNameDoubt(memberPath, known)
    if (doubt !== undefined) report.keyProblem(doubt, name)
    else if (isNested(wanted)) warnOfMembers(wanted, { known, path: memberPath, report: report.at(name) })
    else warnOfValues(wanted, { known, name: memberPath.join(' > '), report: report.at(name) })
  }
}

/** Claims in an object whose members are not known may have any name. */
function findNameDoubt(
  path: readonly string[],
  { name: service, claims, prefixes = [], isOpen }: KnownClaims,
): string | undefined {
  const joined = path.join(' > ')
  const parent = path.slice(0, -1).join(' > ')
  const siblings = claims.filter(claim => parentOf(claim) === parent)
  const candidates = parent === '' ? [...REGISTERED_CLAIMS, ...siblings] : siblings
  if (candidates.includes(joined) || prefixes.some(prefix => joined.startsWith(prefix))) return undefined
  if (siblings.length === 0) return undefined
  const nested = claims.find(
    claim => claim.includes(' > ') && claim.replaceAll(' > ', '.') === path.join('.'),
  )
  if (nested !== undefined)
    return `is in no JWT of ${service} as it stands here: nest it, as in the JWT, below ${namesText([nested.split(' > ')[0] ?? ''])}`
  const lastName = (claim: string) => claim.split(' > ').at(-1) ?? claim
  const near = findNearSpelling(path.at(-1) ?? '', candidates.map(lastName))
  if (near === undefined && isOpen) return undefined
  // all of them: with what is meant by another name, nothing is more likely than the rest
  const listed = near === undefined ? `: its own are ${siblings.map(lastName).join(', ')}` : ''
  return `is in no JWT of ${service} that jeton knows of, so this grant is for nobody${listed}${didYouMean(near)}`
}

function parentOf(claim: string): string {
  return claim.split(' > ').slice(0, -1).join(' > ')
}

function warnOfValues(
  wanted: Scalar | readonly Scalar[],
  { known, name, report }: { known: KnownClaims; name: string; report: Report },
): void {
  const form = known.values && Object.hasOwn(known.values, name) ? known.values[name] : undefined
  if (!form) return
  alternatives(wanted).forEach((value, position) => {
    if (fitsForm(String(value), form)) return
    const doubt = `never has this value in JWTs of ${known.name}, as far as jeton knows: write one such as ${form.example}`
    if (typeof wanted === 'object') report.problem(doubt, position)
    else report.problem(doubt)
  })
}
