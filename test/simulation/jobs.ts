import { CONTENDERS, type ContenderName } from './contenders.ts'
import { LOADS, type Load, renewal } from './loads.ts'
import { type Played, play } from './play.ts'

export type LoadName = keyof typeof LOADS

/** One play, told in plain data. */
export interface Job {
  readonly load: LoadName | { readonly principals: number; readonly hours: number }
  readonly contender: ContenderName
  readonly delayMs: number
}

export const loadOf = ({ load }: Job): Load =>
  typeof load === 'string' ? LOADS[load] : renewal(load.principals, load.hours * 3_600_000)

export function playJob(job: Job, seed: string): Promise<Played> {
  const { contending: contender } = CONTENDERS[job.contender]
  return play({ load: loadOf(job), contender, delayMs: job.delayMs, seed })
}
