import { readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { runCli } from '../support/service/jeton.ts'
import { useServers } from './servers.ts'

const { environment, startServer, bearer, auditFile } = useServers()

describe('SIGTERM', () => {
  test('finishes requests in flight, logs the hash of the last audit record, and exits 0', async () => {
    const jeton = await startServer()
    environment().sts.faults.delayMs = 500
    const pending = jeton.requestToken(await bearer(), { database: 'orders' })
    await expect.poll(() => environment().sts.requests()).toBe(1)
    jeton.process.kill('SIGTERM')
    expect((await pending).status).toBe(200)
    expect(await jeton.ended).toBe(0)
    const last = JSON.parse(await jeton.logged('audit_closed')).last
    const verified = await runCli(['audit', 'verify', auditFile(), '--expect-last', last])
    expect(verified).toMatchObject({ code: 0 })
  })

  test('logs the hash that shows a truncated audit file', async () => {
    const jeton = await startServer()
    const jwt = await bearer()
    for (let i = 0; i < 3; i++) await jeton.requestToken(jwt, { database: 'orders' })
    jeton.process.kill('SIGTERM')
    await jeton.ended
    const last = JSON.parse(await jeton.logged('audit_closed')).last
    const lines = (await readFile(auditFile(), 'utf8')).trimEnd().split('\n')
    await writeFile(auditFile(), `${lines.slice(0, -1).join('\n')}\n`)
    expect((await runCli(['audit', 'verify', auditFile()])).code).toBe(0)
    expect((await runCli(['audit', 'verify', auditFile(), '--expect-last', last])).code).toBe(1)
  })
})

describe('SIGUSR1', () => {
  test('does not open the inspector of Node: the server goes on', async () => {
    const jeton = await startServer()
    jeton.process.kill('SIGUSR1')
    jeton.process.kill('SIGHUP')
    await jeton.logged('configuration_reloaded')
    expect((await jeton.requestToken(await bearer(), { database: 'orders' })).status).toBe(200)
    expect(await listeningPorts(jeton.process.pid)).toEqual([Number(new URL(jeton.url).port)])
    expect(jeton.stderr.join('\n')).not.toMatch(/debugger/i)
  })

  test('that came while Node started has opened the inspector no longer when jeton listens', async () => {
    const signal = 'data:text/javascript,process.kill(process.pid,"SIGUSR1")'
    const node = [process.execPath, '--inspect-port=0', '--import', signal]
    const jeton = await startServer({}, { node })
    expect(await jeton.logged('Debugger listening')).toBeTruthy()
    expect(await listeningPorts(jeton.process.pid)).toEqual([Number(new URL(jeton.url).port)])
  })

  test('leaves an inspector open that Node was started with', async () => {
    const jeton = await startServer({}, { node: [process.execPath, '--inspect=0'] })
    expect(await listeningPorts(jeton.process.pid)).toHaveLength(2)
  })

  /** Linux only: https://man7.org/linux/man-pages/man5/proc_pid_net.5.html */
  async function listeningPorts(pid: number | undefined): Promise<number[]> {
    const folder = `/proc/${pid}/fd`
    const links = await Promise.all(
      (await readdir(folder)).map(fd => readlink(`${folder}/${fd}`).catch(() => '')),
    )
    const inodes = new Set(links.map(link => /^socket:\[(\d+)\]$/.exec(link)?.[1]))
    const rows = (await readFile(`/proc/${pid}/net/tcp`, 'utf8')).trim().split('\n').slice(1)
    return rows
      .map(row => row.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.has(inode))
      .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16))
  }
})
