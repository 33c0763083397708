import { type ChildProcess, spawn } from 'node:child_process'

/** A shell that outlives this process, and cleans up once it is gone, even by SIGKILL. */
export interface CleanupShell {
  /** Makes sure that a child is ended by `signal` (without `SIG`). */
  watch(child: ChildProcess, signal: string): void
  /** Ends the shell, which then cleans nothing up. */
  release(): void
}

/** Its waits are bounded because a zombie that nobody reaps keeps its pid. It removes again while a child of a child still writes. */
const SCRIPT = `children=
while read -r word pid signal; do
  case $word in
    watch) children="$children $pid:$signal" ;;
    ended) kept=; for child in $children; do [ "\${child%:*}" = "$pid" ] || kept="$kept $child"; done; children=$kept ;;
    released) exit ;;
  esac
done
for child in $children; do kill -"\${child#*:}" "\${child%:*}"; done
for child in $children; do
  tries=0
  while kill -0 "\${child%:*}" && [ $tries -lt 20 ]; do tries=$((tries + 1)); sleep 0.1; done
  kill -KILL "\${child%:*}"
done
tries=0
until rm -rf "$1" || [ $tries -ge 50 ]; do tries=$((tries + 1)); sleep 0.1; done`

/**
 * Starts a shell that, when this process is gone, ends the children that still run and removes `path`, a file or a folder.
 * Without a shell, as on Windows, nothing is cleaned up.
 */
export function startCleanupShell(path: string): CleanupShell {
  // with a session of its own, so that what ends this process's terminal or group does not end it
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'cleanup', path], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  shell.on('error', () => {})
  shell.stdin.on('error', () => {})
  shell.unref()
  return {
    watch(child, signal) {
      const { pid } = child
      if (pid === undefined) return
      shell.stdin.write(`watch ${pid} ${signal}\n`)
      // a pid that is free again may become another program's
      child.once('exit', () => shell.stdin.writable && shell.stdin.write(`ended ${pid}\n`))
    },
    release: () => void shell.stdin.end('released\n'),
  }
}
