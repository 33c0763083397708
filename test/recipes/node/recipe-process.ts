import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A recipe in a process of its own, which asks its database as whom it is logged in whenever a test wants to know. */
export interface RecipeProcess {
  /** Returns the user. */
  ask(): Promise<string>
  /** Puts the clock of the process forward. */
  advance(ms: number): Promise<void>
  /** Ends it; returns what it wrote to stderr. */
  end(): Promise<string>
}

export interface RecipeOptions {
  /** The recipe's text as it is on its page. */
  text: string
  /** An expression that resolves with the name of the current user, with what the recipe declares. */
  query: string
  /** The folder whose packages it uses. */
  cwd: string
  env: Readonly<Record<string, string>>
}

/** Runs the text, and after it what answers the test. A connection that was lost is tried again, a refused login is not. */
export async function startRecipe({ text, query, cwd, env }: RecipeOptions): Promise<RecipeProcess> {
  const script = `${text}
const { isLoginRefused } = await import('jeton/client')
const realNow = Date.now
async function ask(attempts) {
  try {
    return { name: await ${query} }
  } catch (cause) {
    if (attempts === 0 || isLoginRefused(cause)) return { problem: String(cause?.stack ?? cause) }
    await new Promise(resolve => setTimeout(resolve, 50))
    return ask(attempts - 1)
  }
}
let aheadMs = 0
Date.now = () => realNow() + aheadMs
process.on('message', async ({ advanceMs }) => {
  aheadMs += advanceMs ?? 0
  process.send(advanceMs === undefined ? await ask(40) : {})
})
process.send('ready')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', chunk => {
    stderr += chunk
  })
  const ended = once(child, 'close').then(() => {
    throw new Error(`the recipe ended: ${stderr}`)
  })
  ended.catch(() => {})
  await Promise.race([once(child, 'message'), ended])
  const answerTo = async (message: object) => {
    child.send(message)
    const [answer] = await Promise.race([once(child, 'message'), ended])
    return answer as { name?: string; problem?: string }
  }
  return {
    async ask() {
      const { name, problem } = await answerTo({})
      if (name === undefined) throw new Error(problem)
      return name
    },
    advance: async advanceMs => void (await answerTo({ advanceMs })),
    end: () => endOf(child, () => stderr),
  }
}

async function endOf(child: ChildProcess, stderr: () => string): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) {
    const closed = once(child, 'close')
    child.kill('SIGKILL')
    await closed
  }
  return stderr()
}
