import { expect, test } from 'vitest'
import { gather } from '../../src/audit/gather.ts'

/** Gathers with turns and time that the test moves on: in each turn so many come, and it takes so long. */
function roundsUntilGathered(rounds: readonly { comes: number; takesMs?: number }[]): number | undefined {
  let now = 0
  let count = 0
  let callback: (() => void) | undefined
  let isGathered = false
  gather({
    clock: { now: () => now },
    count: () => count,
    defer: next => {
      callback = next
    },
    onGathered: () => {
      isGathered = true
    },
  })
  expect(isGathered).toBe(false)
  for (const [i, { comes, takesMs = 0 }] of rounds.entries()) {
    now += takesMs
    count += comes
    const next = callback
    callback = undefined
    next?.()
    if (isGathered) return i + 1
  }
  return undefined
}

test.each([
  ['one that is alone goes in the second turn', [1, 0], 2],
  ['what nobody waits for goes in the first turn', [0], 1],
  ['those who come turn after turn go together', [4, 2, 1, 1, 0], 5],
  ['a batch does not go while somebody comes', [1, 1, 1, 1], undefined],
] as const)('gather: %s', (_, comes, rounds) => {
  expect(roundsUntilGathered(comes.map(each => ({ comes: each })))).toBe(rounds)
})

test('gather ends after 2 ms, however many still come', () => {
  const rounds = Array.from({ length: 10 }, () => ({ comes: 1, takesMs: 0.5 }))
  expect(roundsUntilGathered(rounds)).toBe(4)
})
