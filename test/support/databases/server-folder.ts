import { spawn } from 'node:child_process'
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The account that a database server runs as. */
export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/** A folder of one server. */
export interface ServerFolder {
  readonly path: string
  /** The owner; undefined if that is this process's own account. */
  readonly user: SystemUser | undefined
  /** Writes a file at a path in the folder, readable by the owner only; returns its full path. */
  put(name: string, text: string): Promise<string>
  /** Makes sure that a process is ended by `signal` when this process is gone. */
  killOnExit(pid: number, signal: string): void
  remove(): Promise<void>
}

/**
 * Creates a temporary folder that only its owner can read. Database servers refuse to run as root: if this process does, the
 * owner is the first of `preferred` that exists, else nobody. The folder is removed when this process is gone, even by SIGKILL.
 */
export async function createServerFolder(options: {
  name: string
  preferred: readonly string[]
}): Promise<ServerFolder> {
  const user = process.getuid?.() === 0 ? await unprivilegedUser(options.preferred) : undefined
  const folder = await mkdtemp(join(tmpdir(), `jeton-${options.name}-`))
  if (user) await chown(folder, user.uid, user.gid)
  const cleanup = startCleanup(folder)
  return {
    path: folder,
    user,
    killOnExit: cleanup.watch,
    async put(name, text) {
      const path = join(folder, name)
      await writeFile(path, text, { mode: 0o600 })
      if (user) await chown(path, user.uid, user.gid)
      return path
    },
    async remove() {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
      cleanup.release()
    },
  }
}

/**
 * Starts a shell that outlives this process: when its stdin closes, it ends the process watched last and removes the folder;
 * after `released` it only exits. Its wait is bounded because a zombie that nobody reaps keeps its pid.
 */
function startCleanup(folder: string): { watch(pid: number, signal: string): void; release(): void } {
  const script = `while read -r pid signal; do
  [ "$pid" = released ] && exit
  watched=$pid by=$signal
done
[ -n "$watched" ] && kill -"$by" "$watched"
tries=0
while [ -n "$watched" ] && kill -0 "$watched" && [ $tries -lt 20 ]; do tries=$((tries + 1)); sleep 0.1; done
[ -n "$watched" ] && kill -KILL "$watched"
rm -rf "$1"`
  const shell = spawn('/bin/sh', ['-c', script, 'cleanup', folder], {
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

async function unprivilegedUser(preferred: readonly string[]): Promise<SystemUser> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'))
  for (const name of [...preferred, 'nobody']) {
    const line = lines.find(([candidate]) => candidate === name)
    if (line) return { uid: Number(line[2]), gid: Number(line[3]) }
  }
  throw new Error('this process runs as root, and there is no other user to run a database server as')
}
