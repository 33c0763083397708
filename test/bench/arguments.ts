import { parseArgs } from 'node:util'
import type { Plan } from './pairs.ts'

/** What `npm run bench` was asked for. */
export interface BenchArguments {
  readonly plan: Plan
  /** Of what there is, in its order. */
  readonly names: readonly string[]
}

/**
 * Reads the arguments: options of the plan, and names, each of a benchmark or of all that begin with it and a hyphen. Without a
 * name, all there are. Throws an Error that says what is wrong.
 */
export function readArguments(args: readonly string[], known: readonly string[]): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      pairs: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
    },
  })
  const isOf = (name: string, wanted: string) => name === wanted || name.startsWith(`${wanted}-`)
  const unknown = positionals.filter(wanted => !known.some(name => isOf(name, wanted)))
  if (unknown.length > 0) throw new Error(`unknown benchmark ${unknown.join(', ')}: use ${known.join(', ')}`)
  return {
    plan: {
      pairs: countOf('--pairs', values.pairs, 1),
      seconds: countOf('--seconds', values.seconds, 1),
      warmUpSeconds: countOf('--warm-up', values['warm-up'], 0),
    },
    names: known.filter(name => positionals.length === 0 || positionals.some(wanted => isOf(name, wanted))),
  }
}

function countOf(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined
  const count = Number(text)
  if (!Number.isInteger(count) || count < least)
    throw new Error(`${option} takes a whole number from ${least}`)
  return count
}
