import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { readDocsPage, rowsOf, sectionOf } from '../support/markdown.ts'
import { drawLogins } from './svg.ts'

const docs = (name: string) => readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8')

test('drawLogins gives all rows one scale, and shows at once who is throttled', () => {
  const row = { title: 'A & B', subtitle: 'those', figure: '90 throttled', detail: 'none open' }
  const svg = drawLogins({ title: 'Logins', subtitle: 'over time' }, [
    { ...row, throttled: 90, seconds: Array.from({ length: 60 }, () => ({ admitted: 10, throttled: 90 })) },
    { ...row, throttled: 0, seconds: Array.from({ length: 30 }, () => ({ admitted: 50, throttled: 0 })) },
  ])
  expect(svg).toContain('aria-label="Logins. A &amp; B: 90 throttled, none open.')
  expect(svg.match(/class="(bad|good)"/g)).toEqual(['class="bad"', 'class="good"'])
  expect(svg).toContain('>100 logins/s<')
  const heights = [...svg.matchAll(/<path class="(in|out)" d="M\d+ (\d+)V([\d.]+)H/g)].map(
    ([, kind, bottom, y]) => [kind, Math.round(Number(bottom) - Number(y))],
  )
  // the whole plot, a tenth of it, half of it
  expect(heights).toEqual([
    ['out', 76],
    ['in', 8],
    ['out', 38],
    ['in', 38],
  ])
})

test('docs/fleet.svg shows the figures of docs/fleet.md', async () => {
  const svg = await docs('fleet.svg')
  const deploy = rowsOf(sectionOf(await readDocsPage('fleet'), 'deploy'))
  const throttled = ['(a, own)', '(b, own)', '(c)', '(d)'].map(
    strategy => deploy.find(([name, delay]) => name === strategy && delay === '0–250')?.[3],
  )
  expect([...svg.matchAll(/>([\d,]+) throttled</g)].map(([, figure]) => figure)).toEqual(throttled)
})
