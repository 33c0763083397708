import { isJsonObject } from '../../src/lib/json.ts'

/** Lines that only a bug writes. */
const BUG_EVENTS = ['request_failed', 'refusal_not_recorded', 'node_warning']
/** The AWS SDK says with each start that it will drop Node 20. */
const KNOWN_WARNING = 'NodeVersionSupportWarning'

/** Returns the lines on stderr that only a bug writes: bugs that jeton met, and what Node itself prints when it gives up. */
export function findBugs(stderr: readonly string[]): string[] {
  return stderr.filter(line => {
    const parsed = parse(line)
    if (!isJsonObject(parsed)) return line.trim() !== ''
    if (line.includes(KNOWN_WARNING)) return false
    return BUG_EVENTS.includes(String(parsed.event)) || /unhandled/i.test(line)
  })
}

/** Returns how often each event of a level above `info` was logged. */
export function countWarnings(stderr: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const line of stderr) {
    const parsed = parse(line)
    if (!isJsonObject(parsed) || (parsed.level !== 'warn' && parsed.level !== 'error')) continue
    const event = String(parsed.event)
    counts.set(event, (counts.get(event) ?? 0) + 1)
  }
  return counts
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
