import type { Report } from '../problems.ts'
import type { Sections } from '../sections.ts'

/** Returns the hashes of each name in lower case. A key under two names would be two principals. */
export function checkApiKeys(
  entries: Sections['apiKeys'],
  report: Report,
): Record<string, readonly string[]> {
  const owners = new Map<string, string>()
  const hashesByName: [string, readonly string[]][] = []
  for (const [name, { sha256 }] of entries) {
    const hashes = [sha256].flat().map(hash => hash.toLowerCase())
    for (const hash of hashes) {
      const owner = owners.get(hash)
      if (owner !== undefined)
        report.problem(
          owner === name
            ? 'lists the same key twice: leave one out'
            : `is also the key of apiKeys.${owner}: each name needs a key of its own`,
          name,
          'sha256',
        )
      owners.set(hash, name)
    }
    hashesByName.push([name, hashes])
  }
  return Object.fromEntries(hashesByName)
}
