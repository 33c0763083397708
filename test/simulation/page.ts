import { readFile, writeFile } from 'node:fs/promises'
import { CONTENDERS, type ContenderName } from './contenders.ts'
import { drawLogins } from './svg.ts'
import { count, type Result } from './tables.ts'

const PAGE = new URL('../../docs/fleet.md', import.meta.url)
const PICTURE = new URL('../../docs/fleet.svg', import.meta.url)
const BEGIN = '<!-- fleet: begin -->'
const END = '<!-- fleet: end -->'
const DRAWN: readonly ContenderName[] = ['a, own', 'b, own', 'd']

/** Puts the figures between the marks of docs/fleet.md. */
export async function writeTables(tables: string): Promise<void> {
  const page = await readFile(PAGE, 'utf8')
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error('docs/fleet.md has lost its marks')
  await writeFile(PAGE, `${page.slice(0, begin + BEGIN.length)}\n\n${tables}\n\n${page.slice(end)}`)
}

/** Draws the deploy with the longest delay into docs/fleet.svg. */
export async function writePicture(results: readonly Result[]): Promise<void> {
  const panels = DRAWN.map(name => {
    const played = results.findLast(({ job }) => job.load === 'deploy' && job.contender === name)?.played
    if (!played) throw new Error(`the deploy was not played with ${name}`)
    const { throttled, gaveUp, busiestSecond, seconds } = played
    const note = `${count(throttled)} throttled, ${count(gaveUp)} gave up, at most ${count(busiestSecond)} in any second`
    return { title: `(${name}) ${CONTENDERS[name].told}`, note, seconds }
  })
  await writeFile(PICTURE, drawLogins('10,000 workloads restart within a minute, 3 connections each', panels))
}
