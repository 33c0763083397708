import { expect, test } from 'vitest'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { createTokenStore } from '../../src/tokens/token-store.ts'
import { virtualClock } from '../support/clock/virtual-clock.ts'

const clock = virtualClock()

test('createTokenStore does not compile with a plain store: tokens would lie in clear', () => {
  const plain: Store = createMemoryStore(clock)
  // @ts-expect-error a token store takes an encrypted store alone
  createTokenStore({ encryptedStore: plain, clock })
  // @ts-expect-error and cannot do without one
  createTokenStore({ clock })
  expect(createTokenStore({ encryptedStore: createMemoryStore(clock), clock })).toBeDefined()
})
