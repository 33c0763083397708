type Test = (line: Readonly<Record<string, unknown>>) => boolean

/**
 * As much of CloudWatch's filter patterns for JSON as the stack uses: `&&` before `||`, and members of the line itself that
 * are compared. A line that is no JSON matches nothing. Throws on a pattern with anything else in it.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
 */
export function filterPattern(pattern: string): (line: string) => boolean {
  const [, inner] = /^\{ (.*) \}$/.exec(pattern) ?? []
  if (inner === undefined) throw new Error(`${pattern} is no pattern for JSON`)
  const either = inner.split(' || ').map(part => part.split(' && ').map(conditionOf))
  return line => {
    const fields = parsed(line)
    return fields !== undefined && either.some(all => all.every(test => test(fields)))
  }
}

function conditionOf(text: string): Test {
  const [, name = '', rest = ''] = /^\$\.(\w+) (.+)$/.exec(text) ?? []
  if (rest === 'NOT EXISTS') return line => line[name] === undefined
  if (rest === 'IS FALSE') return line => line[name] === false
  const [, number] = /^> (\d+)$/.exec(rest) ?? []
  if (number !== undefined) return line => typeof line[name] === 'number' && line[name] > Number(number)
  const [, wanted] = /^= "([^"\\]*)"$/.exec(rest) ?? []
  if (wanted === undefined) throw new Error(`${text} is no condition that is known here`)
  const regExp = new RegExp(`^${wanted.split('*').map(escaped).join('.*')}$`, 's')
  return line => typeof line[name] === 'string' && regExp.test(line[name])
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
