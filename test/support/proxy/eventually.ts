import { expect, vi } from 'vitest'

/** Resolves once `get` returns what equals `wanted`; after 15 s rejects with what it returns instead. For concurrent tests, too. */
export function eventually<T>(get: () => T | Promise<T>, wanted: unknown): Promise<void> {
  return vi.waitFor(async () => expect(await get()).toEqual(wanted), { timeout: 15_000, interval: 20 })
}
