import { describe, expect, it } from 'vitest'
import { readArguments } from './arguments.ts'

const KNOWN = ['vend-8', 'vend-64', 'vending', 'start']

describe('the arguments of npm run bench', () => {
  it('select benchmarks by name and by what their names begin with, in the order that there is', () => {
    expect(readArguments([], KNOWN).names).toEqual(KNOWN)
    expect(readArguments(['start', 'vend-64'], KNOWN).names).toEqual(['vend-64', 'start'])
    expect(readArguments(['vend'], KNOWN).names).toEqual(['vend-8', 'vend-64'])
  })

  it('set the plan, and nothing of it that is not asked for', () => {
    const { plan, names } = readArguments(['--pairs', '3', 'start', '--warm-up', '0'], KNOWN)
    expect(plan).toEqual({ pairs: 3, seconds: undefined, warmUpSeconds: 0 })
    expect(names).toEqual(['start'])
  })

  it.each([
    [['sart'], 'unknown benchmark sart'],
    [['ven'], 'unknown benchmark ven'],
    [['--pairs', '0'], '--pairs takes a whole number from 1'],
    [['--seconds', '0.5'], '--seconds takes a whole number from 1'],
    [['--warmup', '1'], "Unknown option '--warmup'"],
  ])('refuse %j', (args, message) => {
    expect(() => readArguments(args, KNOWN)).toThrow(message)
  })
})
