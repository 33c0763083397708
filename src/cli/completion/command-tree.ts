/** The parts of commander's commands that completion needs. */
export interface ParsedCommand {
  name(): string
  description(): string
  readonly commands: readonly ParsedCommand[]
  readonly options: readonly ParsedOption[]
  readonly registeredArguments: readonly ParsedArgument[]
}

interface ParsedOption {
  readonly short?: string | undefined
  readonly long?: string | undefined
  readonly flags: string
  readonly description: string
  readonly argChoices?: readonly string[] | undefined
  readonly required: boolean
  readonly hidden: boolean
}

interface ParsedArgument {
  name(): string
  readonly description: string
  readonly argChoices?: readonly string[] | undefined
}

/** What can stand in a place: some words, a file, or what nobody but the user knows. */
export type Values = { readonly words: readonly string[] } | 'file' | 'unknown'

export interface OptionNode {
  readonly flags: readonly string[]
  readonly summary: string
  /** Undefined if it takes none. */
  readonly values: Values | undefined
}

/** A command as a shell completes it. */
export interface CommandNode {
  /** Its name after those that it is below, from the program on, with a space between them. */
  readonly path: string
  readonly name: string
  readonly summary: string
  readonly commands: readonly CommandNode[]
  readonly options: readonly OptionNode[]
  /** Of its first argument, else of an option that takes several values; undefined if it takes neither. */
  readonly values: Values | undefined
  /** Whether a command of its own follows after `--`. */
  readonly runsCommand: boolean
}

const HELP: OptionNode = { flags: ['-h', '--help'], summary: 'show how it is called', values: undefined }

/** Returns what a program's commands, options and forms are, as they are when it is called. */
export function commandTree(command: ParsedCommand, above = ''): CommandNode {
  const name = command.name()
  const path = above === '' ? name : `${above} ${name}`
  const [argument, second] = command.registeredArguments
  return {
    path,
    name,
    summary: summaryOf(command.description()),
    commands: command.commands.map(each => commandTree(each, path)),
    options: [...command.options.filter(({ hidden }) => !hidden).map(optionNode), HELP],
    values: argument ? valuesOf({ ...argument, placeholder: argument.name() }) : severalValuesOf(command),
    runsCommand: second?.name() === 'command',
  }
}

/** Returns a command and all below it. */
export function allCommands(command: CommandNode): CommandNode[] {
  return [command, ...command.commands.flatMap(allCommands)]
}

/** Returns where an option's value stands, as the path of the command and the flag before it, for each flag. */
export function optionPlaces(commands: readonly CommandNode[]): { place: string; values: Values }[] {
  return commands.flatMap(({ path, options }) =>
    options.flatMap(({ flags, values }) =>
      values === undefined ? [] : flags.map(flag => ({ place: `${path} ${flag}`, values })),
    ),
  )
}

/** What may stand where a command takes no argument: the values of an option that takes several, such as `--against [file...]`. */
function severalValuesOf({ options }: ParsedCommand): Values | undefined {
  for (const { flags, ...option } of options) {
    const [, placeholder] = /\[([^\]]*)\.\.\.]$/.exec(flags) ?? []
    if (placeholder !== undefined) return valuesOf({ ...option, placeholder })
  }
  return undefined
}

function optionNode({ short, long, flags, description, argChoices, required }: ParsedOption): OptionNode {
  const [, placeholder = ''] = /<([^>]*)>/.exec(flags) ?? []
  return {
    flags: [short, long].flatMap(flag => flag ?? []),
    summary: summaryOf(description),
    values: required ? valuesOf({ argChoices, description, placeholder }) : undefined,
  }
}

function valuesOf(of: {
  argChoices?: readonly string[] | undefined
  description: string
  placeholder: string
}): Values {
  const words = of.argChoices ?? listedWords(of.description)
  if (words !== undefined) return { words }
  return /^(?:file|folder)/.test(of.placeholder) ? 'file' : 'unknown'
}

/** The words of a description that is nothing but a list of them, as in `token, json or env (default: token)`. */
function listedWords(description: string): string[] | undefined {
  const list = description.replace(/\s*\([^)]*\)/g, '')
  return /^[\w-]+(?:, [\w-]+)* or [\w-]+$/.test(list) ? list.split(/, | or /) : undefined
}

/** The beginning of a description, short enough for a line beside others. */
function summaryOf(description: string): string {
  const [beginning = ''] = description.split(/[;:(]/)
  return beginning.trim()
}
