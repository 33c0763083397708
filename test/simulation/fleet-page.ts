import { readFile, writeFile } from 'node:fs/promises'
import { formatCount } from './format.ts'
import type { ScenarioResult } from './scenarios.ts'
import { STRATEGIES, type StrategyName } from './strategies.ts'
import { drawLogins } from './svg.ts'

const PAGE = new URL('../../docs/fleet.md', import.meta.url)
const PICTURE = new URL('../../docs/fleet.svg', import.meta.url)
const BEGIN = '<!-- fleet: begin -->'
const END = '<!-- fleet: end -->'
const DRAWN: readonly StrategyName[] = ['a, own', 'b, own', 'd']

/** Replaces the text between the marks of docs/fleet.md. */
export async function writeTables(tables: string): Promise<void> {
  const page = await readFile(PAGE, 'utf8')
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`docs/fleet.md has no ${BEGIN} … ${END}`)
  await writeFile(PAGE, `${page.slice(0, begin + BEGIN.length)}\n\n${tables}\n\n${page.slice(end)}`)
}

/** Draws the deploy with the longest delay into docs/fleet.svg. */
export async function writePicture(results: readonly ScenarioResult[]): Promise<void> {
  const panels = DRAWN.map(strategy => {
    const run = results.findLast(
      ({ scenario }) => scenario.load === 'deploy' && scenario.strategy === strategy,
    )
    if (!run) throw new Error(`there is no run of the deploy with (${strategy})`)
    const { throttled, gaveUp, busiestSecond, seconds } = run.result
    const note = `${formatCount(throttled)} throttled, ${formatCount(gaveUp)} gave up, at most ${formatCount(busiestSecond)} in any second`
    return { title: `(${strategy}) ${STRATEGIES[strategy].description}`, note, seconds }
  })
  await writeFile(PICTURE, drawLogins('10,000 workloads restart within a minute, 3 connections each', panels))
}
