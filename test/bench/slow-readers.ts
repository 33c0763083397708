import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { startJeton } from '../support/service/jeton.ts'
import { startTestEnvironment } from '../support/service/test-environment.ts'
import { reportCheck } from './report.ts'

const CONNECTIONS = 600
/** As many as may be outstanding: their replies are more than the kernel's buffers take. */
const REQUESTS = 'GET /v1/ca/global.pem HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(64)
const SETTLE_MS = 3000
/** A quarter of the 257 KiB that a connection cost when each had copies of all replies that it asked for. */
const MAX_KIB_EACH = 64

/** Measures the memory that connections cost which ask for CA bundles, as many at once as they may, and read none. */
export async function slowReaders(): Promise<void> {
  const environment = await startTestEnvironment()
  const jeton = await startJeton({
    config: environment.config(),
    env: environment.serverEnv,
    folder: environment.folder,
  })
  const sockets: Socket[] = []
  try {
    await (await fetch(`${jeton.url}/v1/ca/global.pem`)).text()
    const pid = jeton.process.pid ?? 0
    const before = await residentKib(pid)
    for (let i = 0; i < CONNECTIONS; i++) sockets.push(await openUnread(Number(new URL(jeton.url).port)))
    await sleep(SETTLE_MS)
    const each = ((await residentKib(pid)) - before) / CONNECTIONS
    const open = sockets.filter(({ destroyed, readyState }) => !destroyed && readyState === 'open').length
    reportCheck(`a connection that does not read its replies costs at most ${MAX_KIB_EACH} KiB`, {
      isKept: each <= MAX_KIB_EACH && open === CONNECTIONS,
      figure: `${each.toFixed(0)} KiB with ${CONNECTIONS} connections, ${open} of them open`,
    })
  } finally {
    for (const socket of sockets) socket.destroy()
    await jeton.close()
    await environment.close()
  }
}

function openUnread(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(REQUESTS)
      resolve(socket)
    })
    socket.pause().on('error', reject)
  })
}

/** Linux only: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
async function residentKib(pid: number): Promise<number> {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1])
}
