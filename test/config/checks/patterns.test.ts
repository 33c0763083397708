import { expect, test } from 'vitest'
import { problemsOf, withPrincipal } from '../support.ts'

const NINE = '*a*b*c*d*e*f*g*h*'
const MANY = 'has 9 wildcards, and 8 are the most that a pattern may have: write several values'
const LONG = 'has a wildcard and more than 512 characters: shorten it, or write the value out'

test('reports patterns that would cost too much, with their place', async () => {
  const claims = {
    repository_id: 1,
    a: NINE,
    b: ['x', 7, NINE],
    c: { d: { e: { f: [`${'x'.repeat(600)}*`] } } },
    g: 'x'.repeat(600),
  }
  const subject = ['x', NINE]
  expect(await problemsOf(withPrincipal({ issuer: 'own', subject, claims }))).toEqual([
    `grants[0].principal.subject[1]: ${MANY}`,
    `grants[0].principal.claims.a: ${MANY}`,
    `grants[0].principal.claims.b[2]: ${MANY}`,
    `grants[0].principal.claims.c.d.e.f[0]: ${LONG}`,
  ])
  expect(await problemsOf(withPrincipal({ issuer: 'own', subject: NINE }))).toEqual([
    `grants[0].principal.subject: ${MANY}`,
  ])
})

test('accepts eight wildcards', async () => {
  expect(await problemsOf(withPrincipal({ issuer: 'own', subject: '*a*b*c*d*e*f**g*' }))).toEqual([])
})
