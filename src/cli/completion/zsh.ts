import { groupBy } from '../../lib/maps.ts'
import { quoteForShell } from '../../lib/shell-words.ts'
import { allCommands, type CommandNode, optionPlaces, type Values } from './command-tree.ts'

/** Returns a script for zsh, to be evaluated, or put into a folder of fpath as `_NAME`. */
export function zshScript(program: CommandNode): string {
  const { name } = program
  const commands = allCommands(program)
  return `#compdef ${name}
# completion of ${name} for zsh: eval "$(${name} completion zsh)", after compinit
_${name}() {
  local current=\${words[CURRENT]} previous=\${words[CURRENT-1]} path_=${name} i
  local -a offered
  for ((i = 2; i < CURRENT; i++)); do
    if [[ \${words[i]} == -- ]]; then
      shift $i words
      ((CURRENT -= i))
      _normal
      return
    fi
    case "$path_ \${words[i]}" in
      (${patterns(commands.slice(1).map(({ path }) => path))}) path_="$path_ \${words[i]}" ;;
    esac
  done
  if [[ $current == --*=* ]]; then
    previous=\${current%%=*} current=\${current#*=}
    compset -P '*='
  fi
  case "$path_ $previous" in
${optionCases(commands).join('\n')}
  esac
  if [[ $current == -* ]]; then
    case $path_ in
${commands.map(({ path, options }) => `      (${quoteForShell(path)}) offered=(${options.flatMap(({ flags, summary }) => flags.map(flag => described(flag, summary))).join(' ')}) ;;`).join('\n')}
    esac
  else
    case $path_ in
${commands.map(command => `      (${quoteForShell(command.path)}) ${placeOf(command)} ;;`).join('\n')}
    esac
  fi
  _describe '' offered
}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`
}

function optionCases(commands: readonly CommandNode[]): string[] {
  const cases = optionPlaces(commands).map(({ place, values }) => ({ place, action: actionFor(values) }))
  return [...groupBy(cases, ({ action }) => action)].map(
    ([action, group]) => `    (${patterns(group.map(({ place }) => place))}) ${action}; return ;;`,
  )
}

function placeOf({ commands, values }: CommandNode): string {
  if (commands.length > 0)
    return `offered=(${commands.map(({ name, summary }) => described(name, summary)).join(' ')})`
  return values === undefined ? 'return' : `${actionFor(values)}; return`
}

function actionFor(values: Values): string {
  if (values === 'file') return '_files'
  return values === 'unknown' ? ':' : `compadd -- ${values.words.map(quoteForShell).join(' ')}`
}

/** A word and what it means, as \`_describe\` takes them. */
function described(word: string, summary: string): string {
  return quoteForShell(`${word.replaceAll(':', '\\:')}:${summary}`)
}

const patterns = (texts: readonly string[]) => texts.map(quoteForShell).join('|')
