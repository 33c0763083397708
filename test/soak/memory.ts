import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { Instance } from './instance.ts'

export interface MemorySample {
  readonly pid: number
  readonly at: number
  readonly mib: number
}

/** How the memory of one process went, by the line that fits best. */
export interface MemoryTrend {
  readonly minutes: number
  readonly meanMib: number
  readonly growthMib: number
}

const SAMPLE_MS = 1000
const MIN_SAMPLES = 10

/** Reads the resident memory of an instance's process each second, until `signal` aborts. Needs Linux. */
export async function sampleMemory(instance: Instance, signal: AbortSignal): Promise<MemorySample[]> {
  const samples: MemorySample[] = []
  while (!signal.aborted) {
    const pid = instance.server?.process.pid
    const mib = pid === undefined ? undefined : await residentMib(pid)
    if (pid !== undefined && mib !== undefined) samples.push({ pid, at: Date.now(), mib })
    await pause(SAMPLE_MS, undefined, { signal }).catch(() => {})
  }
  return samples
}

async function residentMib(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const [, kib] = /^VmRSS:\s*(\d+) kB$/m.exec(status) ?? []
  return kib === undefined ? undefined : Number(kib) / 1024
}

/** Returns the trend of the last process, without what it had before `from` (ms); undefined if there are too few samples. */
export function memoryTrend(samples: readonly MemorySample[], from: number): MemoryTrend | undefined {
  const lastPid = samples.at(-1)?.pid
  const points = samples.filter(({ pid, at }) => pid === lastPid && at >= from)
  const [first] = points
  const last = points.at(-1)
  if (!first || !last || points.length < MIN_SAMPLES) return undefined
  const meanAt = mean(points.map(({ at }) => at))
  const meanMib = mean(points.map(({ mib }) => mib))
  const covariance = mean(points.map(({ at, mib }) => (at - meanAt) * (mib - meanMib)))
  const variance = mean(points.map(({ at }) => (at - meanAt) ** 2))
  const spanMs = last.at - first.at
  return { minutes: spanMs / 60_000, meanMib, growthMib: (covariance / variance) * spanMs }
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
