import { readFile } from 'node:fs/promises'

const UNITS = new URL('../../deploy/systemd/', import.meta.url)

/** What systemd puts in place of `%i` and the like. https://www.freedesktop.org/software/systemd/man/systemd.unit.html#Specifiers */
export type Specifiers = Readonly<Partial<Record<'i' | 't' | 'h' | 'E' | 'S', string>>>

/** Returns the text of a unit in `deploy/systemd/`. */
export function readUnit(path: string): Promise<string> {
  return readFile(new URL(path, UNITS), 'utf8')
}

/** Returns the value of a setting that stands there once. Throws if it does not. */
export function settingOf(unit: string, name: string): string {
  const [found, ...others] = [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))]
  if (!found?.[1] || others.length > 0) throw new Error(`the unit has not one ${name}=`)
  return found[1]
}

/**
 * Returns the words of a command line as systemd passes them on: specifiers and variables replaced, single quotes around a word
 * gone. It knows as much as the units of the project use.
 */
export function commandOf(
  unit: string,
  name: string,
  { specifiers, variables = {} }: { specifiers: Specifiers; variables?: Readonly<Record<string, string>> },
): string[] {
  const words = settingOf(unit, name).match(/'[^']*'|[^\s']+/g) ?? []
  return words.map(word =>
    word
      .replace(/^'(.*)'$/, '$1')
      .replace(/%(\w)/g, (all, letter: keyof Specifiers) => specifiers[letter] ?? all)
      .replace(/\$\{(\w+)\}/g, (_, variable: string) => variables[variable] ?? '')
      .replaceAll('$$', '$'),
  )
}
