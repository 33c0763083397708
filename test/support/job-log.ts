/** What a runner of GitHub writes to the log: `TryParseV2` and `UnescapeData` of its ActionCommand.cs, then its masks. */
export function githubLog(output: string): string {
  const masks: string[] = []
  const log: string[] = []
  for (const line of output.split('\n')) {
    const data = /^\s*::add-mask::(.*)$/.exec(line)?.[1]
    if (data === undefined) log.push(masks.reduce((text, mask) => text.replaceAll(mask, '***'), line))
    else masks.push(data.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%'))
  }
  return log.join('\n')
}

/** The same of an agent of Azure Pipelines: Command.cs and CommandStringConvertor.cs. Agents of before 2021 decode no percents. */
export function azureLog(output: string, { decodesPercents }: { decodesPercents: boolean }): string {
  const masks: string[] = []
  const log: string[] = []
  for (const line of output.split('\n')) {
    const data = /##vso\[task\.setsecret\](.*)$/.exec(line)?.[1]
    if (data === undefined) {
      log.push(masks.reduce((text, mask) => text.replaceAll(mask, '***'), line))
      continue
    }
    const decoded = data
      .replaceAll('%3B', ';')
      .replaceAll('%0D', '\r')
      .replaceAll('%0A', '\n')
      .replaceAll('%5D', ']')
    masks.push(decodesPercents ? decoded.replaceAll('%AZP25', '%') : decoded)
  }
  return log.join('\n')
}
