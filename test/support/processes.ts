import { readdir, readFile } from 'node:fs/promises'

export interface RunningProcess {
  readonly pid: number
  readonly commandLine: string
}

/**
 * Returns running processes with a text in their command line or in the environment that they were started with, as far as
 * this account may read it. Zombies have neither. Needs Linux's /proc.
 */
export async function findProcesses(text: string): Promise<RunningProcess[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number)
  const processes = await Promise.all(
    pids.map(async pid => {
      const [commandLine = '', environment = ''] = await Promise.all(
        ['cmdline', 'environ'].map(name => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
      )
      return { pid, commandLine: commandLine.replaceAll('\0', ' ').trim(), environment }
    }),
  )
  return processes
    .filter(({ commandLine, environment }) => commandLine.includes(text) || environment.includes(text))
    .map(({ pid, commandLine }) => ({ pid, commandLine }))
}

/** Returns their command lines. */
export async function processesWith(text: string): Promise<string[]> {
  return (await findProcesses(text)).map(({ commandLine }) => commandLine)
}
