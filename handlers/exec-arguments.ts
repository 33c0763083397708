/** A command line whose words before `--` are jeton's own. */
export interface DividedCommandLine {
  own: readonly string[]
  /** What `jeton exec` runs, with its arguments; undefined without `--`. */
  command: readonly string[] | undefined
}

/**
 * Divides `process.argv` of a `jeton exec` at its first `--`, before any option is parsed: whatever comes after it is the
 * command's, and no option before it takes `--` for its value. Leaves the arguments of other commands as they are.
 */
export function divideCommandLine(argv: readonly string[]): DividedCommandLine {
  const [, , name, ...words] = argv
  const end = words.indexOf('--')
  if (name !== 'exec' || end === -1) return { own: argv, command: undefined }
  return { own: argv.slice(0, 3 + end), command: words.slice(end + 1) }
}
