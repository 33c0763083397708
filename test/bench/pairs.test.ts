import { describe, expect, it } from 'vitest'
import { compareByPairs, measurePairs } from './pairs.ts'

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
  it('are compared by the median of their ratios, the first one aside', async () => {
    const values =
      (...list: number[]) =>
      async () =>
        list.shift() ?? Number.NaN
    const sides = { subject: values(900, 30, 20, 60), base: values(1, 10, 10, 20) }
    expect(await compareByPairs(sides, { pairs: 3 })).toEqual({
      ratio: 3,
      shown: '3.00 (2.00 to 3.00) ×',
      subject: 30,
      base: 10,
    })
  })
})
