/** What jeton depends on: STS, the store, issuers' keys and the audit log. */
export type Dependency = 'sts' | 'store' | 'keys' | 'log'

/**
 * Where parts report whether their dependencies work; `/readyz` and the metrics read it. A failing dependency degrades the
 * service without stopping it: cached tokens are still served.
 */
export interface Health {
  /** `of` names one of several, such as an issuer or a role: one that works does not hide another that fails. */
  report(dependency: Dependency, state: { ok: boolean; of?: string }): void
  /** Returns the failing dependencies, in a fixed order. */
  degraded(): readonly Dependency[]
}

export const DEPENDENCIES: readonly Dependency[] = ['sts', 'store', 'keys', 'log']

/** Returns a health in which every dependency works until it is reported as failing. */
export function createHealth(): Health {
  const failing = new Map(DEPENDENCIES.map(dependency => [dependency, new Set<string>()]))
  return {
    report(dependency, { ok, of = '' }) {
      if (ok) failing.get(dependency)?.delete(of)
      else failing.get(dependency)?.add(of)
    },
    degraded: () => DEPENDENCIES.filter(dependency => failing.get(dependency)?.size),
  }
}
