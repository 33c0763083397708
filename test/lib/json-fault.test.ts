import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firstJsonFault } from '../../src/lib/json-fault.ts'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const PIECES = [
  ...['{', '}', '[', ']', ':', ',', '"a"', '"\\u00e9"', '"', '\\', '1', '-', '0', '.5', 'e3', 'true', 'null'],
  ...[' ', '\n', 'x', '/*', '//', '\u0001', '\u00a0'],
]

describe('firstJsonFault', () => {
  test('agrees with JSON.parse on whether a text is JSON', () => {
    const texts = fc.oneof(
      fc.json(),
      fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map(list => list.join('')),
      fc.string(),
    )
    fc.assert(
      fc.property(texts, text => {
        expect(firstJsonFault(text) === undefined).toBe(isJson(text))
      }),
      { numRuns: 2000 },
    )
  })

  test('is at or before the place of a change', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (json, at) => {
        const cut = json.slice(0, at % json.length)
        if (!isJson(cut)) expect(firstJsonFault(cut)?.offset).toBeLessThanOrEqual(cut.length)
        expect(firstJsonFault(`${cut}\u0001${json}`)?.offset).toBeLessThanOrEqual(cut.length)
      }),
    )
  })
})
