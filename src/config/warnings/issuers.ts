import { audiencesOf } from '../../authentication/audience.ts'
import { DEFAULT_MAX_LIFETIME_SECONDS } from '../../authentication/jwt-claims.ts'
import { findKnownClaims } from '../../authorization/tenancy/issuer-claims.ts'
import { findNearForm, findPrivateForm } from '../../authorization/tenancy/private-issuers.ts'
import { findRightSpelling, findSharedProvider } from '../../authorization/tenancy/shared-oidc-providers.ts'
import type { Tenancy } from '../../authorization/tenancy/tenancy.ts'
import { findNearSpelling } from '../../lib/near-spelling.ts'
import type { IssuerConfig } from '../config.ts'
import type { Report } from '../problems.ts'

/** Warns of issuers whose JWTs are certainly refused, or that let in more than it seems. Those without a tenancy are reported. */
export function warnOfIssuers(
  issuers: readonly IssuerConfig[],
  { tenancies, report }: { tenancies: ReadonlyMap<string, Tenancy>; report: Report },
): void {
  for (const issuer of issuers) {
    const at = report.at(issuer.name)
    for (const doubt of [findSignUpDoubt(issuer), findTwinDoubt(issuer, issuers)])
      if (doubt !== undefined) at.problem(doubt)
    const spellingDoubt = tenancies.has(issuer.name) ? findSpellingDoubt(issuer) : undefined
    if (spellingDoubt !== undefined) at.problem(spellingDoubt, 'issuer')
    warnOfAudiences(issuer, at)
    const lifetimeDoubt = findLifetimeDoubt(issuer)
    if (lifetimeDoubt !== undefined) at.problem(lifetimeDoubt, 'maxLifetimeSeconds')
  }
}

function findSignUpDoubt({ issuer, tenancy }: IssuerConfig): string | undefined {
  const form = tenancy === undefined ? findPrivateForm(issuer) : undefined
  if (!form?.hasOpenSignUp) return undefined
  return `whoever signs up gets JWTs of this issuer, and by default anybody can at ${form.name}: write \`tenancy: private\` if only your own users can, otherwise \`tenancy: shared\` and \`owner\``
}

/** A realm with a slash behind it, which none of its JWTs has: https://www.keycloak.org/securing-apps/oidc-layers */
const KEYCLOAK = /^(https:\/\/.+\/realms\/[^/]+)\/+$/

function findSpellingDoubt({ issuer }: IssuerConfig): string | undefined {
  const isExact = findPrivateForm(issuer) !== undefined
  const spelling =
    findRightSpelling(issuer) ??
    KEYCLOAK.exec(issuer)?.[1] ??
    (isExact ? undefined : findNearForm(issuer)?.iss)
  if (spelling === undefined) return undefined
  return `no JWT is accepted, because \`iss\` is compared to the letter and reads ${spelling} there: write that as \`issuer\``
}

/** Who can get JWTs does not depend on their audience, so one of two issuers with a URL is declared as it is not. */
function findTwinDoubt(
  { issuer, tenancy, jwks }: IssuerConfig,
  issuers: readonly IssuerConfig[],
): string | undefined {
  if (tenancy === 'shared') return undefined
  const twin = issuers.find(other => other.issuer === issuer && other.tenancy === 'shared')
  const haveOwnKeys = jwks !== undefined && twin?.jwks !== undefined
  if (!twin || haveOwnKeys || findSharedProvider(issuer)) return undefined
  return `issuers.${twin.name} has the same URL and is shared, so strangers may get JWTs for this audience too, and no grant has to pin an owner: write \`tenancy: shared\` and \`owner\` here as well, unless the issuer keeps strangers from this audience`
}

/** What JWTs for others carry by default, whichever issuer makes them. */
const AUDIENCES_OF_OTHERS: { readonly [audience: string]: string } = {
  'api://AzureADTokenExchange': 'Azure',
  'sts.amazonaws.com': 'AWS',
}

function warnOfAudiences(issuer: IssuerConfig, report: Report): void {
  const { audience } = issuer
  audiencesOf(issuer).forEach((each, position) => {
    const doubt = findAudienceDoubt(each, issuer)
    if (doubt !== undefined) report.problem(doubt, 'audience', ...(Array.isArray(audience) ? [position] : []))
  })
}

function findAudienceDoubt(audience: string, { issuer }: IssuerConfig): string | undefined {
  const known = findKnownClaims(issuer)
  if (known?.audience === audience) return undefined
  if (known?.audience !== undefined)
    return `is in no JWT of ${known.name}, whose \`aud\` is always ${known.audience}: write that`
  const other = Object.hasOwn(AUDIENCES_OF_OTHERS, audience) ? AUDIENCES_OF_OTHERS[audience] : undefined
  if (other !== undefined)
    return `is that of JWTs for ${other}: each of them is good at jeton too, and each for jeton at ${other}. Have those for jeton made for an audience of their own, such as jeton; if the platform makes none, let each grant name ids of the workload`
  if (/^https?(?:\/|:\/?[^/])/i.test(audience))
    return 'looks like a URL and is none: an audience is compared to the letter'
  const [, scheme = ''] = /^([a-z][a-z\d+.-]*):\/\//i.exec(audience) ?? []
  const near = findNearSpelling(scheme, ['https'])
  return near === undefined || scheme.toLowerCase() === 'http'
    ? undefined
    : `begins with ${scheme}://, which no audience does that is a URL: did you mean ${near}://?`
}

function findLifetimeDoubt({ issuer, maxLifetimeSeconds }: IssuerConfig): string | undefined {
  const known = findKnownClaims(issuer)
  const accepted = maxLifetimeSeconds ?? DEFAULT_MAX_LIFETIME_SECONDS
  if (known?.lifetimeSeconds === undefined || known.lifetimeSeconds <= accepted) return undefined
  return `is ${accepted}, and JWTs of ${known.name} are valid for ${known.lifetimeSeconds} s, so they are all refused: write ${known.lifetimeSeconds}`
}
