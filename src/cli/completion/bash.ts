import { groupBy } from '../../lib/maps.ts'
import { allCommands, type CommandNode, optionPlaces, type Values } from './command-tree.ts'

/** Returns a script for bash 3.2 and later, without the package bash-completion. */
export function bashScript(program: CommandNode): string {
  const { name } = program
  const commands = allCommands(program)
  return `# completion of ${name} for bash: eval "$(${name} completion bash)"
_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} path=${name} after='' words='' i
  COMPREPLY=()
  # --option=value comes as three words
  if [[ $current == '=' ]]; then
    current=''
  elif [[ $previous == '=' && COMP_CWORD -ge 2 ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == -- ]]; then after=$i; break; fi
    case "$path \${COMP_WORDS[i]}" in
      ${patterns(commands.slice(1).map(({ path }) => path))}) path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  if [[ -n $after ]]; then
    # the command that runs, and then its own arguments: files
    case "$path $((COMP_CWORD - after))" in
      ${patterns(commands.filter(({ runsCommand }) => runsCommand).map(({ path }) => `${path} 1`))}) COMPREPLY=($(compgen -c -- "$current")) ;;
    esac
    return
  fi
  case "$path $previous" in
${optionCases(commands).join('\n')}
    *)
      if [[ $current == -* ]]; then
        case $path in
${commands.map(({ path, options }) => `          ${pattern(path)}) words=${wordList(options.flatMap(({ flags }) => flags))} ;;`).join('\n')}
        esac
      else
        case $path in
${commands.map(command => `          ${pattern(command.path)}) ${placeOf(command)} ;;`).join('\n')}
        esac
      fi
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${name} ${name}
`
}

/** Leaves the choice to bash, which knows files, or keeps it from offering them. */
const FILES = 'return'
const NOTHING = 'compopt +o default 2>/dev/null; return'

function optionCases(commands: readonly CommandNode[]): string[] {
  const cases = optionPlaces(commands).map(({ place, values }) => ({ place, action: actionFor(values) }))
  return [...groupBy(cases, ({ action }) => action)].map(
    ([action, group]) => `    ${patterns(group.map(({ place }) => place))}) ${action} ;;`,
  )
}

function placeOf({ commands, values }: CommandNode): string {
  if (commands.length > 0) return `words=${wordList(commands.map(({ name }) => name))}`
  return values === undefined ? NOTHING : actionFor(values)
}

function actionFor(values: Values): string {
  if (values === 'file') return FILES
  return values === 'unknown' ? NOTHING : `words=${wordList(values.words)}`
}

const wordList = (words: readonly string[]) => `'${words.join(' ')}'`
const pattern = (text: string) => `'${text}'`
const patterns = (texts: readonly string[]) => texts.map(pattern).join(' | ')
