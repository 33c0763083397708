import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { bundleScript } from './bundle-script.ts'
import { findCores } from './cores.ts'
import { type Comparison, compareByPairs, measurePairs, type Plan, type Sides } from './pairs.ts'

const PAIRS = 9
const WARM_UP_SECONDS = 10

/** Returns a benchmark that is a script of this folder, in a process on the server's core. It gets the plan, then `args`. */
export function pinnedScript(name: string, args: readonly string[] = []) {
  return async (plan: Plan): Promise<void> => {
    const [{ server }, script] = [await findCores(), await bundleScript(name)]
    const [program = '', ...rest] = [...server, process.execPath, script, JSON.stringify(plan), ...args]
    const child = spawn(program, rest, { stdio: ['ignore', 'inherit', 'inherit'] })
    const [code] = await once(child, 'exit')
    if (code !== 0) process.exitCode = 1
  }
}

/** Returns the plan and the arguments of a script that `pinnedScript` runs. */
export function readScriptArguments(): { plan: Plan; args: readonly string[] } {
  const [plan = '{}', ...args] = process.argv.slice(2)
  return { plan: JSON.parse(plan), args }
}

/** Compares the CPU of this process, in microseconds, for two functions that return how often they did what is measured. */
export async function compareCpu(
  { subject, base }: Sides<() => Promise<number>>,
  { pairs = PAIRS, warmUpSeconds = WARM_UP_SECONDS }: Plan,
): Promise<Comparison> {
  const sides = {
    subject: async () => microsEach(await subject()),
    base: async () => microsEach(await base()),
  }
  const until = performance.now() + warmUpSeconds * 1000
  while (performance.now() < until) await measurePairs(sides, { pairs: 1 })
  return compareByPairs(sides, { pairs })
}

/** `work` is ready to begin: what had to be made for it does not count. */
async function microsEach(work: () => Promise<number>): Promise<number> {
  const before = process.cpuUsage()
  const count = await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}
