import { readFile, writeFile } from 'node:fs/promises'
import { formatCount } from '../simulation/format.ts'
import type { KeptPromise } from './promises.ts'
import type { SoakResult } from './run-soak.ts'

const PAGE = new URL('../../docs/operations.md', import.meta.url)
const BEGIN = '<!-- soak: begin -->'
const END = '<!-- soak: end -->'

/** Returns the figures of a soak as a table in Markdown. */
export function soakTable(result: SoakResult, promises: readonly KeptPromise[]): string {
  const { seconds, deliveries, auditLogs, assumeRoleCalls, disturbances } = result
  const total = [...disturbances.values()].reduce((sum, count) => sum + count, 0)
  const kills = sumOf(disturbances, 'kill -9')
  const clockSets = sumOf(disturbances, 'the clock')
  const rows = [
    ['duration', `${Math.round(seconds / 60)} minutes`],
    [
      'disturbances',
      `${total}, among them ${kills} times \`kill -9\` and ${clockSets} clocks put wrong and right again`,
    ],
    [
      'tokens that callers got',
      `${formatCount(deliveries.count)}, ${formatCount(deliveries.tokens)} different`,
    ],
    ['`AssumeRole` calls', formatCount(assumeRoleCalls)],
    ['audit records', formatCount(auditLogs.records)],
    ...promises.map(({ what, figure, isKept }) => [what, isKept ? figure : `**${figure}**`]),
  ]
  return [
    '| what | figure |',
    '| --- | --- |',
    ...rows.map(([what, figure]) => `| ${what} | ${figure} |`),
  ].join('\n')
}

const sumOf = (counts: ReadonlyMap<string, number>, name: string) =>
  [...counts].filter(([key]) => key.includes(name)).reduce((sum, [, count]) => sum + count, 0)

/** Replaces the text between the marks of docs/operations.md. */
export async function writeFigures(table: string): Promise<void> {
  const page = await readFile(PAGE, 'utf8')
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`docs/operations.md has no ${BEGIN} … ${END}`)
  await writeFile(PAGE, `${page.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${page.slice(end)}`)
}
