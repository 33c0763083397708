import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { onFreePort, runAt, startDaemon } from './daemon.ts'
import { createHome } from './server-folder.ts'

const shell = (script: string) => ({ file: '/bin/sh', args: ['-c', script] })
const READY = { ready: /ready/, signal: 'KILL' } as const
const module = (name: string) => fileURLToPath(new URL(name, import.meta.url))

test('a daemon runs in its home until it is stopped, and the home is removed', async () => {
  const home = await createHome({ name: 'test', preferred: [] })
  const daemon = await startDaemon(home, { ...shell('echo $$ > pid; echo ready; exec sleep 100'), ...READY })
  expect(existsSync(`${home.folder}/pid`)).toBe(true)
  await daemon.stop()
  await daemon.stop()
  await home.remove()
  expect(existsSync(home.folder)).toBe(false)
})

test('what ends before it is ready says why', async () => {
  const home = await createHome({ name: 'test', preferred: [] })
  const failing = startDaemon(home, { ...shell('echo no such luck >&2; exit 3'), ...READY })
  await expect(failing).rejects.toThrow(/ended \(3\).*no such luck/)
  await expect(startDaemon(home, { file: '/nonexistent', args: [], ...READY })).rejects.toThrow('ENOENT')
  await expect(runAt(home, shell('echo broken; exit 1'))).rejects.toThrow(/failed \(1\).*broken/)
  await home.remove()
})

test('a taken port is tried again, any other failure is not', async () => {
  const ports: number[] = []
  const start = async (port: number) => {
    if (ports.push(port) < 3) throw new Error('bind: Address already in use')
    return port
  }
  expect(await onFreePort(start)).toBe(ports[2])
  let tries = 0
  const broken = onFreePort(async () => {
    tries++
    throw new Error('broken')
  })
  await expect(broken).rejects.toThrow('broken')
  expect(tries).toBe(1)
})

test('after kill -9 of its owner, nothing is left of a daemon', async () => {
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', OWNER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { folder, pid } = JSON.parse(await firstLine(owner)) as { folder: string; pid: number }
  expect(existsSync(folder)).toBe(true)
  expect(isRunning(pid)).toBe(true)
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  await expect.poll(() => existsSync(folder), { timeout: 20_000 }).toBe(false)
  expect(isRunning(pid)).toBe(false)
})

const OWNER = `
import { readFileSync } from 'node:fs'
const { createHome } = await import(${JSON.stringify(module('./server-folder.ts'))})
const { startDaemon } = await import(${JSON.stringify(module('./daemon.ts'))})
const home = await createHome({ name: 'test', preferred: [] })
await startDaemon(home, {
  file: '/bin/sh',
  args: ['-c', 'echo $$ > pid; echo ready; exec sleep 100'],
  ready: /ready/,
  signal: 'KILL',
})
console.log(JSON.stringify({ folder: home.folder, pid: Number(readFileSync(home.folder + '/pid', 'utf8')) }))
`

async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = await once(child.stdout!, 'data')
  return String(chunk)
}

/** A zombie that nobody has reaped yet still has its pid, but runs no more. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (cause) {
    // Without /proc the signal alone tells.
    return (cause as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync('/proc/self')
  }
}
