import { type ChildProcess, spawn } from 'node:child_process'
import { expect } from 'vitest'
import { CLI } from './service/jeton.ts'

/** The last that the demo prints, when all of it runs. */
export const DEMO_RUNS = 'Ctrl-C ends everything'

/** Starts the demo, with this environment besides PATH, and waits until it has printed a text. Returns what it printed so far. */
export async function startDemo({
  until,
  env,
}: {
  until: string
  env: Record<string, string>
}): Promise<{ demo: ChildProcess; printed: string }> {
  const demo = spawn(process.execPath, [CLI, 'demo'], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  for await (const chunk of demo.stdout.iterator({ destroyOnReturn: false })) {
    printed += chunk
    if (printed.includes(until)) break
  }
  expect(printed).toContain(until)
  demo.stdout.resume()
  return { demo, printed }
}
