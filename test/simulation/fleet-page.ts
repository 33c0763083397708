import { readFile, writeFile } from 'node:fs/promises'
import { formatCount } from './format.ts'
import type { Scenario, ScenarioResult } from './scenarios.ts'
import type { StrategyName } from './strategies.ts'
import { drawLogins, type PictureRow } from './svg.ts'

const PAGE = new URL('../../docs/fleet.md', import.meta.url)
const PICTURE = new URL('../../docs/fleet.svg', import.meta.url)
const BEGIN = '<!-- fleet: begin -->'
const END = '<!-- fleet: end -->'

/** The strategies in the picture, in words for those who have not read the page. */
const DRAWN: readonly { strategy: StrategyName; title: string; subtitle: string }[] = [
  {
    strategy: 'a, own',
    title: 'Sign for each connection',
    subtitle: 'like the AWS SDK, own sessions',
  },
  {
    strategy: 'b, own',
    title: 'Sign once in each process',
    subtitle: 'like AWS’s drivers, own sessions',
  },
  { strategy: 'c', title: 'jeton', subtitle: 'one token for all: the default' },
  {
    strategy: 'd',
    title: 'jeton, a session for each',
    subtitle: 'RDS’s own log tells callers apart',
  },
]
/** The deploys of the picture: with the longest delay, which is the hardest for jeton. */
export const PICTURED: readonly Scenario[] = DRAWN.map(({ strategy }) => ({
  load: 'deploy',
  strategy,
  maxDelayMs: 250,
}))

/** Replaces the text between the marks of docs/fleet.md. */
export async function writeTables(tables: string): Promise<void> {
  const page = await readFile(PAGE, 'utf8')
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`docs/fleet.md has no ${BEGIN} … ${END}`)
  await writeFile(PAGE, `${page.slice(0, begin + BEGIN.length)}\n\n${tables}\n\n${page.slice(end)}`)
}

/** Draws the deploys of `PICTURED`, which must be among the results, into docs/fleet.svg. */
export async function writePicture(results: readonly ScenarioResult[]): Promise<void> {
  const rows = DRAWN.map(({ strategy, ...words }, i): PictureRow => {
    const wanted = PICTURED[i]
    const run = results.find(
      ({ scenario: { load, maxDelayMs, ...scenario } }) =>
        load === wanted?.load && maxDelayMs === wanted.maxDelayMs && scenario.strategy === strategy,
    )
    if (!run) throw new Error(`there is no run of the deploy with (${strategy})`)
    const { throttled, gaveUp, loginWait, seconds } = run.result
    const figure = `${formatCount(throttled)} throttled`
    const detail =
      gaveUp > 0
        ? `${formatCount(gaveUp)} connections never opened`
        : `all 30,000 open, the last after ${waitText(loginWait.max)}`
    return { ...words, seconds, throttled, figure, detail }
  })
  const title = '10,000 workloads restart within a minute, 3 connections each'
  const subtitle =
    'RDS takes 20 logins a second with tokens of different identities; a token that was used before is free.'
  await writeFile(PICTURE, drawLogins({ title, subtitle }, rows))
}

const waitText = (ms: number) =>
  ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`
