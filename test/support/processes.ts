import { readdir, readFile } from 'node:fs/promises'

export interface RunningProcess {
  readonly pid: number
  readonly commandLine: string
}

/** Returns running processes whose command line contains a text; zombies have none. Needs Linux's /proc. */
export async function findProcesses(text: string): Promise<RunningProcess[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number)
  const processes = await Promise.all(
    pids.map(async pid => {
      const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return { pid, commandLine: words.replaceAll('\0', ' ').trim() }
    }),
  )
  return processes.filter(({ commandLine }) => commandLine.includes(text))
}

/** Returns their command lines. */
export async function processesWith(text: string): Promise<string[]> {
  return (await findProcesses(text)).map(({ commandLine }) => commandLine)
}
