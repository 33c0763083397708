import { audiencesOf } from '../../authentication/audience.ts'
import { claimConditions } from '../../authorization/claim-condition.ts'
import { findCoveredGrants } from '../../authorization/covered-grants.ts'
import type { GrantSpec } from '../../authorization/grant.ts'
import { findKnownClaims } from '../../authorization/tenancy/issuer-claims.ts'
import { findPrivateForm } from '../../authorization/tenancy/private-issuers.ts'
import type { Tenancy } from '../../authorization/tenancy/tenancy.ts'
import type { IssuerConfig } from '../config.ts'
import type { Report } from '../problems.ts'
import { warnOfClaims } from './claims.ts'
import { findOwnerDoubt } from './owners.ts'

export interface GrantsCheck {
  issuers: readonly IssuerConfig[]
  /** By the issuer's name. */
  tenancies: ReadonlyMap<string, Tenancy>
  report: Report
}

/** Warns of grants that are for nobody, or may come to be for others than is meant. */
export function warnOfGrants(
  grants: readonly GrantSpec[],
  { issuers, tenancies, report }: GrantsCheck,
): void {
  const issuerByName = new Map(issuers.map(issuer => [issuer.name, knownOf(issuer)]))
  const covered = findCoveredGrants(grants)
  grants.forEach((grant, position) => {
    const at = report.at(position)
    const { issuer, known, form } = issuerByName.get(grant.principal.issuer) ?? {}
    const ownerDoubt = findOwnerDoubt(grant, { tenancy: tenancies.get(grant.principal.issuer), form })
    if (ownerDoubt !== undefined) at.problem(ownerDoubt, 'principal')
    if (known) warnOfClaims(grant.principal, { known, report: at.at('principal') })
    const audienceDoubt = issuer && findAudienceDoubt(grant, issuer)
    if (audienceDoubt !== undefined) at.problem(audienceDoubt, 'principal', 'claims', 'aud')
    const first = covered.get(position)
    if (first !== undefined)
      at.problem(
        `is never reached: grants[${first}] (${grants[first]?.name}) comes first and allows the same callers the same users; leave this one out, or put it first`,
      )
  })
}

/** What is known of an issuer, which many grants may name. With pinned keys, nobody else can make its JWTs. */
function knownOf(issuer: IssuerConfig) {
  return {
    issuer,
    known: findKnownClaims(issuer.issuer),
    form: issuer.jwks === undefined ? findPrivateForm(issuer.issuer) : undefined,
  }
}

/** A JWT may have several audiences, so that this is not certain to be for nobody. */
function findAudienceDoubt({ principal }: GrantSpec, issuer: IssuerConfig): string | undefined {
  const audiences = audiencesOf(issuer)
  const wanted =
    claimConditions(principal)
      .find(({ claim }) => claim === 'aud')
      ?.wanted.map(String) ?? []
  const isMet = (value: string) => value.includes('*') || audiences.includes(value)
  if (wanted.length === 0 || wanted.some(isMet)) return undefined
  return `is another than the audience of the issuer, ${audiences.join(' or ')}: only a JWT for both meets this grant`
}
