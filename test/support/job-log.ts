/** What a runner of GitHub writes to the log: `TryParseV2` and `UnescapeData` of its ActionCommand.cs, then its masks. */
export function githubLog(output: string): string {
  const masks: string[] = []
  const log: string[] = []
  for (const line of output.split('\n')) {
    const data = /^\s*::add-mask::(.*)$/.exec(line)?.[1]
    if (data === undefined) log.push(hide(line, masks))
    else masks.push(data.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%'))
  }
  return log.join('\n')
}

/**
 * The same of an agent of Azure Pipelines: Command.cs and CommandStringConvertor.cs. Agents of before 2021 decode no percents. With
 * System.Debug, WorkerCommandManager.cs prints each command when it has obeyed it; some releases, as it was given.
 */
export function azureLog(
  output: string,
  { decodesPercents, debugs = false }: { decodesPercents: boolean; debugs?: boolean },
): string {
  const masks: string[] = []
  const log: string[] = []
  const print = (line: string) => log.push(hide(line, masks))
  for (const line of output.split('\n')) {
    const data = /##vso\[task\.setsecret\](.*)$/.exec(line)?.[1]
    if (data === undefined) {
      print(line)
      continue
    }
    const decoded = data
      .replaceAll('%3B', ';')
      .replaceAll('%0D', '\r')
      .replaceAll('%0A', '\n')
      .replaceAll('%5D', ']')
    masks.push(decodesPercents ? decoded.replaceAll('%AZP25', '%') : decoded)
    if (debugs) print(`##[debug]Processed: ${line}`)
  }
  return log.join('\n')
}

/** Both runners look all masks up in the text as it was, and put `***` in the place of those that touch (SecretMasker.cs). */
function hide(text: string, masks: readonly string[]): string {
  const isSecret = Array.from(text, () => false)
  for (const mask of masks)
    for (let at = text.indexOf(mask); at >= 0; at = text.indexOf(mask, at + 1))
      isSecret.fill(true, at, at + mask.length)
  return Array.from(text, (char, at) => (!isSecret[at] ? char : isSecret[at - 1] ? '' : '***')).join('')
}
