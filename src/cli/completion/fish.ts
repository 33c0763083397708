import { allCommands, type CommandNode, type OptionNode, type Values } from './command-tree.ts'

/** Returns a script for fish 3 and later. */
export function fishScript(program: CommandNode): string {
  const { name } = program
  const commands = allCommands(program)
  const paths = commands.slice(1).map(({ path }) => quote(path))
  return `# completion of ${name} for fish: ${name} completion fish | source
function __${name}_is_at
    set -l path ${name}
    set -l words (commandline -opc)
    for word in $words[2..-1]
        test "$word" = --; and return 1
        contains -- "$path $word" ${paths.join(' ')}; and set path "$path $word"
    end
    test "$path" = "$argv[1]"
end
function __${name}_after_dashes
    contains -- -- (commandline -opc)
end
complete -c ${name} -f
${commands.flatMap(command => commandLines(command, name)).join('\n')}
`
}

function commandLines(command: CommandNode, program: string): string[] {
  const { path, commands, options, values, runsCommand } = command
  const at = `complete -c ${program} -n ${quote(`__${program}_is_at ${quote(path)}`)}`
  return [
    ...commands.map(({ name, summary }) => `${at} -a ${quote(name)} -d ${quote(summary)}`),
    ...(commands.length > 0 || values === undefined ? [] : argumentLines(values, at)),
    ...options.map(option => `${at} ${optionWords(option)}`),
    ...(runsCommand
      ? [
          `complete -c ${program} -n ${quote(`__${program}_after_dashes`)} -a '(__fish_complete_subcommand --fcs-skip=(contains -i -- -- (commandline -opc)))'`,
        ]
      : []),
  ]
}

function argumentLines(values: Values, at: string): string[] {
  if (values === 'file') return [`${at} -F`]
  return values === 'unknown' ? [] : [`${at} -a ${quote(values.words.join(' '))}`]
}

function optionWords({ flags, summary, values }: OptionNode): string {
  const names = flags.map(flag => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
  const words = [...names, ...valueWords(values), `-d ${quote(summary)}`]
  return words.join(' ')
}

function valueWords(values: Values | undefined): string[] {
  if (values === undefined) return []
  if (values === 'file') return ['-r', '-F']
  return values === 'unknown' ? ['-x'] : ['-x', `-a ${quote(values.words.join(' '))}`]
}

/** Within single quotes, fish knows two escapes. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
