import { isJsonObject } from '../lib/json.ts'
import { ALGORITHMS } from './compact-jwt.ts'
import { readJwks } from './jwks.ts'

/** How many keys a set has, and how many of them some JWT can be verified with. */
export interface KeyCount {
  readonly all: number
  readonly usable: number
}

/** Counts the keys of a JSON Web Key Set that jeton would use. Throws if the value is not a key set. */
export async function countUsableKeys(value: unknown): Promise<KeyCount> {
  readJwks(value)
  const keys = (value as { keys: unknown[] }).keys
  const usable = await Promise.all(keys.map(isUsableKey))
  return { all: keys.length, usable: usable.filter(Boolean).length }
}

async function isUsableKey(key: unknown): Promise<boolean> {
  if (!isJsonObject(key)) return false
  const { findKeys } = readJwks({ keys: [key] })
  const kid = typeof key.kid === 'string' ? { kid: key.kid } : {}
  for (const alg of ALGORITHMS) if ((await findKeys({ alg, ...kid })).length > 0) return true
  return false
}
