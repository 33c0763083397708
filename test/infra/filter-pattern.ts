import { parseJsonObject } from '../../src/lib/json.ts'

type Test = (line: Readonly<Record<string, unknown>>) => boolean

/**
 * Returns whether a line matches a filter pattern of CloudWatch for JSON, as far as the stack uses them: `&&` before `||`, and
 * comparisons of the line's own members. A line that is not JSON matches nothing. Throws on any other pattern.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
 */
export function filterPattern(pattern: string): (line: string) => boolean {
  const [, conditions] = /^\{ (.*) \}$/.exec(pattern) ?? []
  if (conditions === undefined) throw new Error(`${pattern} is not a pattern for JSON`)
  const alternatives = conditions.split(' || ').map(part => part.split(' && ').map(parseCondition))
  return line => {
    const fields = parseJsonObject(line)
    return fields !== undefined && alternatives.some(tests => tests.every(test => test(fields)))
  }
}

function parseCondition(text: string): Test {
  const [, name = '', comparison = ''] = /^\$\.(\w+) (.+)$/.exec(text) ?? []
  if (comparison === 'NOT EXISTS') return line => line[name] === undefined
  if (comparison === 'IS FALSE') return line => line[name] === false
  const [, operator, number] = /^(>=?) (\d+)$/.exec(comparison) ?? []
  const isInRange = (value: number) => (operator === '>' ? value > Number(number) : value >= Number(number))
  if (number !== undefined) return line => typeof line[name] === 'number' && isInRange(line[name])
  const [, wanted] = /^= "([^"\\]*)"$/.exec(comparison) ?? []
  if (wanted === undefined) throw new Error(`${text} is not a condition that filterPattern knows`)
  const regExp = new RegExp(`^${wanted.split('*').map(escapeRegExp).join('.*')}$`, 's')
  return line => typeof line[name] === 'string' && regExp.test(line[name])
}

const escapeRegExp = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
