import { spawn } from 'node:child_process'
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Whom a database server runs as; undefined: as ourselves. */
export interface User {
  readonly uid: number
  readonly gid: number
}

/** A folder of one server, and whom it belongs to. */
export interface Home {
  readonly folder: string
  readonly user: User | undefined
  /** Writes a file, given its path in the folder, that the user alone can read; gives its full path. */
  put(name: string, text: string): Promise<string>
  /** Has a process ended by `signal` when this process is gone. */
  guard(pid: number, signal: string): void
  remove(): Promise<void>
}

/**
 * A new temporary folder, readable by one user alone: ourselves, or, since database servers refuse to run as root, one of
 * `preferred` or nobody where we are root. It is removed when this process is gone, however it went, even by SIGKILL.
 */
export async function createHome(options: { name: string; preferred: readonly string[] }): Promise<Home> {
  const user = process.getuid?.() === 0 ? await lesserUser(options.preferred) : undefined
  const folder = await mkdtemp(join(tmpdir(), `jeton-${options.name}-`))
  if (user) await chown(folder, user.uid, user.gid)
  const guard = startGuard(folder)
  return {
    folder,
    user,
    guard: guard.watch,
    async put(name, text) {
      const path = join(folder, name)
      await writeFile(path, text, { mode: 0o600 })
      if (user) await chown(path, user.uid, user.gid)
      return path
    },
    async remove() {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
      guard.release()
    },
  }
}

/**
 * A shell that outlives us: the end of our process closes its stdin, and then it ends the last process it was told of and
 * removes the folder. Told `released`, it ends without. A zombie nobody reaps still has its pid: hence the bounded wait.
 */
function startGuard(folder: string): { watch(pid: number, signal: string): void; release(): void } {
  const script = `while read -r pid signal; do
  [ "$pid" = released ] && exit
  watched=$pid by=$signal
done
[ -n "$watched" ] && kill -"$by" "$watched"
tries=0
while [ -n "$watched" ] && kill -0 "$watched" && [ $tries -lt 20 ]; do tries=$((tries + 1)); sleep 0.1; done
[ -n "$watched" ] && kill -KILL "$watched"
rm -rf "$1"`
  const shell = spawn('/bin/sh', ['-c', script, 'guard', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  shell.on('error', () => {})
  shell.stdin.on('error', () => {})
  shell.unref()
  return {
    watch: (pid, signal) => void shell.stdin.write(`${pid} ${signal}\n`),
    release: () => void shell.stdin.end('released\n'),
  }
}

async function lesserUser(preferred: readonly string[]): Promise<User> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'))
  for (const name of [...preferred, 'nobody']) {
    const line = lines.find(([candidate]) => candidate === name)
    if (line) return { uid: Number(line[2]), gid: Number(line[3]) }
  }
  throw new Error('we are root, and there is no lesser user to run a database server as')
}
