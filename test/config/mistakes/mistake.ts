import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkCommand } from '../../../src/cli/check.ts'
import { recordStreams } from '../../cli/record-streams.ts'
import { jwksText, tlsFiles } from '../support.ts'

/** One mistake that an operator makes in the sound configuration, `sound.yaml`. */
export interface Mistake {
  /** What the operator did, as the heading in the snapshot. */
  readonly title: string
  /** Texts of the sound configuration that are each replaced by another, where they first stand. */
  readonly change?: readonly (readonly [sound: string, wrong: string])[]
  /** A whole text in the place of the sound configuration. */
  readonly text?: string
  /** Files in the place of the sound ones, or beside them. Without a text, one is not there. */
  readonly files?: Readonly<Record<string, string | undefined>>
  /** How the text is written to the file; UTF-8 by default. */
  readonly encode?: (text: string) => Buffer
  readonly strict?: boolean
}

const SOUND_FILES = {
  ...tlsFiles(),
  'cluster-jwks.json': jwksText(),
  'store.key': randomBytes(32).toString('base64'),
}

export const SOUND = readFileSync(new URL('sound.yaml', import.meta.url), 'utf8')

/** Returns the text of a configuration with a mistake. Fails if what it changes is not in the sound one. */
export function mistakenText({ title, text = SOUND, change = [] }: Mistake): string {
  return change.reduce((changed, [sound, wrong]) => {
    if (!changed.includes(sound))
      throw new Error(`${title}: the configuration has no ${JSON.stringify(sound)}`)
    // as a function, because a text may contain $&
    return changed.replace(sound, () => wrong)
  }, text)
}

/** Returns what `jeton check` prints about a mistake, and its exit code, in a folder of its own. */
export async function checkMistake(
  mistake: Mistake,
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'mistake-'))
  try {
    const files: Mistake['files'] = { ...SOUND_FILES, ...mistake.files }
    const write = (name: string, content: string | Buffer) =>
      writeFile(join(folder, name), content, { mode: 0o600 })
    for (const [name, content] of Object.entries(files)) if (content !== undefined) await write(name, content)
    const { encode = Buffer.from } = mistake
    await write('jeton.yaml', encode(mistakenText(mistake)))
    const { streams, written } = recordStreams()
    const configPath = join(folder, 'jeton.yaml')
    const exitCode = await checkCommand({ configPath, strict: mistake.strict }, streams)
    const isNameless = (text: string) => text.replaceAll(`${folder}/`, '')
    return { exitCode, stdout: isNameless(written.stdout), stderr: isNameless(written.stderr) }
  } finally {
    await rm(folder, { recursive: true })
  }
}
