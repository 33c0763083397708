import type { Report } from '../report.ts'
import type { ConfigFile } from '../schema.ts'

type ApiKeyEntry = readonly [string, NonNullable<ConfigFile['apiKeys']>[string]]

/** Gives the hashes of each name in lower case. One key under two names would be two principals at once. */
export function checkApiKeys(
  entries: readonly ApiKeyEntry[],
  report: Report,
): Record<string, readonly string[]> {
  const owners = new Map<string, string>()
  const keys: [string, readonly string[]][] = []
  for (const [name, { sha256 }] of entries) {
    const hashes = [sha256].flat().map(hash => hash.toLowerCase())
    for (const hash of hashes) {
      const owner = owners.get(hash)
      if (owner !== undefined)
        report.problem(
          owner === name ? 'names one key twice' : `is the key of apiKeys.${owner} too`,
          name,
          'sha256',
        )
      owners.set(hash, name)
    }
    keys.push([name, hashes])
  }
  return Object.fromEntries(keys)
}
