/** What jeton leans on. A part that fails degrades the service; it does not stop it: cached tokens go on being served. */
export type Dependency = 'sts' | 'store' | 'keys' | 'log'

/** Where the parts write down whether what they lean on answers, and `/readyz` and the metrics read it. */
export interface Health {
  report(dependency: Dependency, state: { ok: boolean; of?: string }): void
  /** The dependencies with anything failing, in a fixed order; empty when all is well. */
  degraded(): readonly Dependency[]
}

const ORDER: readonly Dependency[] = ['sts', 'store', 'keys', 'log']

/** `of` tells several of a kind apart (an issuer, a role): one that answers does not hide another that does not. */
export function createHealth(): Health {
  const failing = new Map<Dependency, Set<string>>()
  return {
    report(dependency, { ok, of = '' }) {
      const set = failing.get(dependency) ?? new Set()
      if (ok) set.delete(of)
      else set.add(of)
      failing.set(dependency, set)
    },
    degraded: () => ORDER.filter(dependency => failing.get(dependency)?.size),
  }
}
