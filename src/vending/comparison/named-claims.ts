import type { LifecycleRecord } from '../../audit/lifecycle-record.ts'
import type { ParsedRecord } from '../../audit/parsed-record.ts'
import type { AuditRecord } from '../../audit/record.ts'
import type { Claim } from '../../authentication/principal.ts'
import { type ClaimObject, elementsOf, isClaimObject } from '../../authorization/claims.ts'
import type { ClaimForm, RecordedPrincipal } from '../../authorization/recorded-match.ts'
import { getOrCreate } from '../../lib/maps.ts'

/**
 * Which claims the grants of an issuer named when records were made, as far as other records show it: one that has a claim
 * proves that it was named by the configuration in use, so that a record by the same configuration which lacks it is of a JWT
 * without it.
 */
export interface NamedClaims {
  /** Returns the configuration that a request was decided by, by a name that only this object understands. */
  rulesOf(record: AuditRecord): string
  /** Takes note of a start or a reload: call it in the order of the log. */
  addLifecycle(parsed: ParsedRecord): void
  /** Takes note of the claims that a record has. */
  add(rules: string, principal: { issuer: string; claims: ClaimObject }): void
  /** Returns whether a configuration is known to have named a claim of an issuer. */
  isNamed(rules: string, issuer: string): RecordedPrincipal['isNamed']
}

/** Which configuration an instance has used from when on, and before. */
interface InUse {
  readonly rules: string
  readonly since: string
  readonly before: string
}

/** Returns a collection that knows of no claim. */
export function createNamedClaims(): NamedClaims {
  const inUse = new Map<string, InUse>()
  const named = new Map<string, Set<string>>()

  /** What an instance decided by before its first record of a start or a reload is one configuration, though not known. */
  const unknownOf = (instance: string) => `instance ${instance}`
  const setOf = (rules: string, issuer: string) =>
    getOrCreate(named, { key: JSON.stringify([rules, issuer]), create: () => new Set<string>() })

  return {
    rulesOf({ instance = '', time }) {
      const current = inUse.get(instance)
      if (!current) return unknownOf(instance)
      // a refusal from before a reload may be written after its record
      return time < current.since ? current.before : current.rules
    },
    addLifecycle({ record, type }) {
      if (type !== 'jeton.audit.started' && type !== 'jeton.audit.reloaded') return
      const { instance, time, id, configuration } = record as unknown as LifecycleRecord
      const before = inUse.get(instance)?.rules ?? unknownOf(instance)
      inUse.set(instance, { rules: configuration?.sha256 ?? `record ${id}`, since: time, before })
    },
    add(rules, { issuer, claims }) {
      const set = setOf(rules, issuer)
      for (const [name, claim] of Object.entries(claims)) addClaim(set, { claim, path: [name] })
    },
    isNamed(rules, issuer) {
      const set = setOf(rules, issuer)
      return (path, form) => set.has(keyOf(path, form))
    },
  }
}

function addClaim(set: Set<string>, { claim, path }: { claim: Claim; path: readonly string[] }): void {
  for (const element of elementsOf(claim)) {
    if (!isClaimObject(element)) set.add(keyOf(path, 'text'))
    else {
      set.add(keyOf(path, 'object'))
      for (const [name, member] of Object.entries(element))
        addClaim(set, { claim: member, path: [...path, name] })
    }
  }
}

function keyOf(path: readonly string[], form: ClaimForm): string {
  return `${form} ${JSON.stringify(path)}`
}
