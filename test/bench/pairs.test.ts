import { describe, expect, it } from 'vitest'
import { measurePairs } from './pairs.ts'

describe('pairs', () => {
  it('are measured in turns, each in the other order than the one before, and kept apart', async () => {
    const order: string[] = []
    const measure = (name: string) => async () => `${name}${order.push(name)}`
    const numbers: number[] = []
    const pairs = await measurePairs(
      { subject: measure('subject'), base: measure('base') },
      { pairs: 3, onPair: (_, number) => numbers.push(number) },
    )
    expect(order).toEqual(['base', 'subject', 'subject', 'base', 'base', 'subject'])
    expect(pairs).toEqual([
      { base: 'base1', subject: 'subject2' },
      { subject: 'subject3', base: 'base4' },
      { base: 'base5', subject: 'subject6' },
    ])
    expect(numbers).toEqual([1, 2, 3])
  })
})
