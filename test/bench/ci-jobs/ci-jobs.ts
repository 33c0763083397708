import { availableParallelism } from 'node:os'
import signer from '@aws-sdk/rds-signer/package.json' with { type: 'json' }
import { ensureInstalled } from '../../support/databases/install.ts'
import { run } from '../../support/run.ts'
import { say } from '../report.ts'
import { type Burst, runAtOnce } from './burst.ts'
import { type Ci, STS_DELAY_MS, startCi } from './ci.ts'
import { type JobResult, runJob } from './run-job.ts'
import { type Alone, aloneTable, burstsTable, type Named } from './tables.ts'
import { createWays } from './ways.ts'

export interface CiJobsOptions {
  /** How many jobs start at once; 100 unless given. */
  jobs?: number
  /** How often each way is measured with a job alone; 5 unless given. */
  rounds?: number | undefined
}

/**
 * Measures ways of a CI job from its JWT to a token, by TLS and against one STS: with a job alone, by turns, then with many at
 * once. Throws if RDS's check refuses a single token. Getting a JWT, AWS's own time and the network are in none of the figures.
 */
export async function ciJobs({ jobs = 100, rounds = 5 }: CiJobsOptions = {}): Promise<void> {
  const [missing] = await ensureInstalled(['debian-awscli'])
  if (missing) throw new Error(`this needs Debian's awscli: ${missing.reason}`)
  const { stdout } = await run('/usr/bin/aws', ['--version'])
  say(`${stdout.trim()}; @aws-sdk/rds-signer ${signer.version}; Node ${process.version}`)
  say(`${availableParallelism()} cores for everything; STS answers after ${STS_DELAY_MS} ms\n`)
  const alone = await inCi(ci => runAlone(ci, rounds))
  say(`${aloneTable(alone)}\n`)
  // in another CI, whose jeton has no token yet
  const bursts = await inCi(ci => runBursts(ci, jobs))
  say(burstsTable(bursts))
}

async function inCi<T>(measure: (ci: Ci) => Promise<T>): Promise<T> {
  const ci = await startCi()
  try {
    return await measure(ci)
  } finally {
    await ci.close()
  }
}

async function runBursts(ci: Ci, jobs: number): Promise<Named<Burst>[]> {
  const bursts: Named<Burst>[] = []
  for (const way of await createWays(ci))
    bursts.push({ name: way.name, ...(await runAtOnce(ci, { way, jobs })) })
  return bursts
}

/** One round more than is counted: the first finds nothing in the caches of the machine, and jeton without a token. */
async function runAlone(ci: Ci, rounds: number): Promise<Named<Alone>[]> {
  const ways = await createWays(ci)
  const results: JobResult[][] = ways.map(() => [])
  for (let round = 0; round <= rounds; round++)
    for (const [index, way] of ways.entries()) {
      const result = await runJob(way.commandOf(await ci.createJob(`${way.id}-${round}`)))
      await ci.logIn(result.token)
      if (round > 0) results[index]?.push(result)
    }
  return ways.map(({ name }, index) => ({ name, results: results[index] ?? [] }))
}
