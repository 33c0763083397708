import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { onFreePort, runIn, startDaemon } from '../../../src/dev/postgres/daemon.ts'
import { createPrivateFolder } from '../../../src/dev/private-folder.ts'

const shell = (script: string) => ({ file: '/bin/sh', args: ['-c', script] })
const READY = { ready: /ready/, signal: 'KILL' } as const
/** For a second or two, unless its folder is gone. */
const WRITE_FILES = 'cd data; i=0; while [ $i -lt 100000 ] && : > $i; do i=$((i + 1)); done'
const module = (name: string) => fileURLToPath(new URL(name, import.meta.url))

test('startDaemon runs a program in its folder until it is stopped; then the folder can be removed', async () => {
  const serverFolder = await createPrivateFolder({ name: 'test' })
  const daemon = await startDaemon(serverFolder, {
    ...shell('echo $$ > pid; echo ready; exec sleep 100'),
    ...READY,
  })
  expect(existsSync(`${serverFolder.path}/pid`)).toBe(true)
  await daemon.stop()
  await daemon.stop()
  await serverFolder.remove()
  expect(existsSync(serverFolder.path)).toBe(false)
})

test('startDaemon and runIn reject with the output of a program that fails', async () => {
  const serverFolder = await createPrivateFolder({ name: 'test' })
  const failing = startDaemon(serverFolder, { ...shell('echo no such luck >&2; exit 3'), ...READY })
  await expect(failing).rejects.toThrow(/ended \(3\).*no such luck/)
  await expect(startDaemon(serverFolder, { file: '/nonexistent', args: [], ...READY })).rejects.toThrow(
    'ENOENT',
  )
  await expect(runIn(serverFolder, shell('echo broken; exit 1'))).rejects.toThrow(/failed \(1\).*broken/)
  await serverFolder.remove()
})

test('onFreePort tries another port if one is taken, and passes on any other failure', async () => {
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

test.each([
  [
    'a daemon',
    `startDaemon(serverFolder, { ...shell('echo $$ > pid; echo ready; exec sleep 100'), ready: /ready/, signal: 'KILL' })`,
  ],
  // initdb has such children, and ends before them
  [
    'a program with a child that goes on writing',
    `runIn(serverFolder, shell('mkdir data; (${WRITE_FILES}) & echo $$ > pid; wait'))`,
  ],
])('%s and its folder are gone after kill -9 of the process that started it', async (_, start) => {
  const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', ownerOf(start)], {
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

function ownerOf(start: string): string {
  return `
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
const { createPrivateFolder } = await import(${JSON.stringify(module('../../../src/dev/private-folder.ts'))})
const { runIn, startDaemon } = await import(${JSON.stringify(module('../../../src/dev/postgres/daemon.ts'))})
const serverFolder = await createPrivateFolder({ name: 'test' })
const shell = script => ({ file: '/bin/sh', args: ['-c', script] })
const readPid = () => { try { return Number(readFileSync(serverFolder.path + '/pid', 'utf8')) } catch { return 0 } }
void ${start}
while (readPid() === 0) await setTimeout(10)
console.log(JSON.stringify({ folder: serverFolder.path, pid: readPid() }))
`
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = await once(child.stdout!, 'data')
  return String(chunk)
}

/** A zombie still has its pid until someone reaps it, but runs no more. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (cause) {
    // Without /proc, only the signal shows it.
    return (cause as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync('/proc/self')
  }
}
