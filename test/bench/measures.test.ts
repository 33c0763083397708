import { describe, expect, it } from 'vitest'
import { parseCpuList } from './cores.ts'
import { parseSchedstat } from './cpu-time.ts'
import { median, withSpread } from './report.ts'

describe('what benchmarks compute', () => {
  it('takes the middle of values in any order', () => {
    expect(median([10, 9, 1])).toBe(9)
    expect(median([4, 1, 3, 2])).toBe(3)
    expect(median([])).toBeNaN()
  })

  it('shows a median with the least and the greatest value', () => {
    expect(withSpread([1.5, 11, 1.234])).toBe('1.50 (1.23 to 11.00)')
    expect(withSpread([250, 99.6], 0)).toBe('250 (100 to 250)')
  })

  it('reads the time on the processor, not the time in wait for it', () => {
    expect(parseSchedstat('580490703 11156945 52\n')).toBe(580_490.703)
    expect(() => parseSchedstat('')).toThrow('not a schedstat')
  })

  it('reads lists of processors', () => {
    expect(parseCpuList('0-2,5')).toEqual([0, 1, 2, 5])
    expect(parseCpuList('3')).toEqual([3])
    expect(parseCpuList('')).toEqual([])
  })
})
