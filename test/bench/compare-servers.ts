import type { Cores } from './cores.ts'
import { cpuTimeOf } from './cpu-time.ts'
import { type Load, type LoadResult, loadWithWrk } from './load.ts'
import { measurePairs, type Pair, type Plan } from './pairs.ts'
import { median, reportCheck, reportFigure, say, withSpread } from './report.ts'

const PAIRS = 9
const SECONDS = 4
const WARM_UP_SECONDS = 10
/** Below this share of one core the server waited for its load, and its CPU for a request is more than under full load. */
const BUSY = 0.95

/** Requests to a server whose process is on this machine. */
export interface LoadedServer {
  readonly name: string
  readonly pid: number
  /** Called before each load. */
  readonly load: () => Promise<Load>
}

interface Sample extends LoadResult {
  /** The server's CPU for a request, in microseconds. */
  readonly micros: number
  readonly mainThreadMicros: number
  readonly perSecond: number
  /** The share of one core that the server used. */
  readonly busy: number
}

export interface ServerComparison {
  /** What is promised, before its limit. */
  readonly what: string
  readonly subject: LoadedServer
  readonly base: LoadedServer
  /** The most CPU that a request to the subject may cost, as a multiple of one to the base; none is promised unless given. */
  readonly maxRatio?: number
}

/** Compares the CPU that a request costs two servers, by loading one after the other; prints each pair, and medians. */
export async function compareServers(
  { what, subject, base, maxRatio }: ServerComparison,
  { plan, cores }: { plan: Plan; cores: Cores },
): Promise<void> {
  const { pairs = PAIRS, seconds = SECONDS, warmUpSeconds = WARM_UP_SECONDS } = plan
  say(`${what}: ${pairs} pairs of ${seconds} s`)
  const sampleOf = (server: LoadedServer, loadSeconds = seconds) =>
    takeSample(server, { seconds: loadSeconds, cores })
  if (warmUpSeconds > 0) for (const server of [base, subject]) await sampleOf(server, warmUpSeconds)
  const measured = await measurePairs(
    { subject: () => sampleOf(subject), base: () => sampleOf(base) },
    { pairs, onPair: (pair, number) => say(`  pair ${number}: ${describePair(pair, { subject, base })}`) },
  )
  const ratios = measured.map(ratioOf)
  const figure = `${withSpread(ratios)} ×`
  if (maxRatio === undefined) reportFigure(what, figure)
  else reportCheck(`${what}, at most ${maxRatio} ×`, { isKept: median(ratios) <= maxRatio, figure })
  for (const side of ['base', 'subject'] as const) {
    const samples = measured.map(pair => pair[side])
    reportFigure(`  ${side === 'base' ? base.name : subject.name}`, describeSamples(samples))
  }
}

async function takeSample(
  { pid, load }: LoadedServer,
  { seconds, cores }: { seconds: number; cores: Cores },
): Promise<Sample> {
  const ready = await load()
  const before = await cpuTimeOf(pid)
  const loaded = await loadWithWrk(ready, { seconds, prefix: cores.load })
  const after = await cpuTimeOf(pid)
  const micros = (after.allThreads - before.allThreads) / loaded.requests
  return {
    ...loaded,
    micros,
    mainThreadMicros: (after.mainThread - before.mainThread) / loaded.requests,
    perSecond: loaded.requests / seconds,
    busy: (after.allThreads - before.allThreads) / (seconds * 1e6),
  }
}

const ratioOf = ({ subject, base }: Pair<Sample>) => subject.micros / base.micros

function describePair(pair: Pair<Sample>, { subject, base }: Pair<LoadedServer>): string {
  const costs = [
    `${base.name} ${pair.base.micros.toFixed(1)} µs`,
    `${subject.name} ${pair.subject.micros.toFixed(1)} µs`,
  ]
  return `${costs.join(', ')}, ratio ${ratioOf(pair).toFixed(2)}`
}

function describeSamples(samples: readonly Sample[]): string {
  const of = (field: keyof Sample) => median(samples.map(sample => sample[field]))
  const perSecond = Math.round(of('perSecond')).toLocaleString('en')
  const busy = of('busy')
  return [
    `${of('micros').toFixed(1)} µs of CPU, ${of('mainThreadMicros').toFixed(1)} of them on the main thread`,
    `${perSecond} a second`,
    `p50 ${of('p50Ms').toFixed(2)} ms, p99 ${of('p99Ms').toFixed(2)} ms`,
    ...(busy < BUSY ? [`NOT saturated: ${Math.round(busy * 100)} % of a core`] : []),
  ].join('; ')
}
