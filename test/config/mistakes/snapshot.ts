import { escapeUnprintable } from '../../../src/lib/printable.ts'
import { checkMistake, type Mistake, mistakenText, SOUND } from './mistake.ts'

const MAX_SHOWN_LINES = 20

/** Returns a mistake as the snapshot has it: its title, the lines that it changes, and all that `jeton check` prints. */
export async function mistakeSnapshot(mistake: Mistake): Promise<string> {
  const { exitCode, stdout, stderr } = await checkMistake(mistake)
  const command = `$ jeton check${mistake.strict ? ' --strict' : ''}`
  return [
    `== ${mistake.title}`,
    '',
    ...changedLines(mistake),
    ...changedFiles(mistake),
    '',
    command,
    `${stderr}${stdout}exit ${exitCode}`,
    '',
    '',
  ].join('\n')
}

/** Returns the lines that differ from the sound configuration, each change with its line number; a whole text as it is. */
function changedLines(mistake: Mistake): string[] {
  const lines = linesOf(mistakenText(mistake))
  if (mistake.text !== undefined || mistake.encode !== undefined) {
    const shown = lines.slice(0, MAX_SHOWN_LINES)
    return shown.map(line => `    ${line}`)
  }
  return hunks(linesOf(SOUND), lines)
}

function changedFiles({ files = {} }: Mistake): string[] {
  return Object.keys(files).map(name =>
    files[name] === undefined ? `    (without ${name})` : `    (with another ${name})`,
  )
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n').map(escapeUnprintable)
}

/** Lines are few, so the longest common subsequence is found by the table of all pairs. */
function hunks(sound: readonly string[], wrong: readonly string[]): string[] {
  const common: number[][] = Array.from({ length: sound.length + 1 }, () => Array(wrong.length + 1).fill(0))
  const at = (i: number, j: number) => common[i]?.[j] ?? 0
  for (let i = sound.length - 1; i >= 0; i--)
    for (let j = wrong.length - 1; j >= 0; j--) {
      const row = common[i]
      if (row) row[j] = sound[i] === wrong[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  const changed: string[] = []
  for (let i = 0, j = 0; i < sound.length || j < wrong.length; ) {
    if (i < sound.length && j < wrong.length && sound[i] === wrong[j]) {
      i++
      j++
    } else if (j >= wrong.length || (i < sound.length && at(i + 1, j) >= at(i, j + 1))) {
      changed.push(`    - ${sound[i++]}`)
    } else changed.push(`    + ${wrong[j++]}`)
  }
  return changed
}
