import { describe, expect, test } from 'vitest'
import type { Claim } from '../../src/authentication/principal.ts'
import { isExact, ownClaim, showClaim, textOf } from '../../src/authorization/claims.ts'

describe('textOf', () => {
  test.each<[Claim, string | undefined]>([
    ['main', 'main'],
    ['', ''],
    [true, 'true'],
    [7, '7'],
    [1.5, '1.5'],
    [2 ** 53, undefined],
    [null, undefined],
    [['main'], undefined],
    [{ a: 'b' }, undefined],
  ])('of %j is %j', (claim, text) => {
    expect(textOf(claim)).toBe(text)
  })
})

describe('isExact', () => {
  test('is true of numbers that no other number rounds to', () => {
    expect([0, -1, 1.5, 2 ** 53 - 1].every(isExact)).toBe(true)
    expect([2 ** 53, -(2 ** 53), Number.POSITIVE_INFINITY, Number.NaN].some(isExact)).toBe(false)
  })
})

describe('ownClaim', () => {
  test('returns no claim that objects inherit, and those of such a name that the JWT carries', () => {
    expect(ownClaim({ ref: 'main' }, 'ref')).toBe('main')
    expect(ownClaim({}, 'constructor')).toBeUndefined()
    expect(ownClaim({}, '__proto__')).toBeUndefined()
    expect(ownClaim(JSON.parse('{"__proto__": "x"}'), '__proto__')).toBe('x')
  })
})

describe('showClaim', () => {
  test.each<[Claim, string]>([
    ['text', '"text"'],
    [7, '7'],
    [true, 'true'],
    [null, 'null'],
    [2 ** 60, '1152921504606847000 (too large to be exact)'],
    [['a', 1, ['b'], { c: 1 }], '["a", 1, […], {…}]'],
    [{ a: 'b' }, '{…}'],
  ])('shows %j', (claim, shown) => {
    expect(showClaim(claim)).toBe(shown)
  })

  test('never shows more than 100 characters', () => {
    for (const claim of [
      'x'.repeat(101),
      '\n'.repeat(99),
      Array.from({ length: 5000 }, () => 'x'.repeat(50)),
    ]) {
      expect(showClaim(claim).length).toBeLessThanOrEqual(100)
      expect(showClaim(claim)).toContain('…')
    }
    expect(showClaim('x'.repeat(98))).toBe(`"${'x'.repeat(98)}"`)
  })

  test('shows a claim that is nested without end', () => {
    const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000))
    expect(showClaim(deep)).toBe('[[…]]')
  })
})
