import type { Claim } from '../../src/authentication/principal.ts'

/** Returns claims that count how often one of them is looked for: the work of a decision, whatever machine it runs on. */
export function countingClaims(claims: Record<string, Claim>) {
  let reads = 0
  const counting = new Proxy(claims, {
    getOwnPropertyDescriptor(target, name) {
      reads++
      return Reflect.getOwnPropertyDescriptor(target, name)
    },
  })
  return { claims: counting, reads: () => reads }
}
