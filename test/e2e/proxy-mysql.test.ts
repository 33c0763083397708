import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { canRun } from '../support/databases/install.ts'
import { CLI } from '../support/service/jeton.ts'
import { type LoginService, startLoginService } from '../support/service/login-service.ts'

const MAX_CONNECTIONS = 3

describe.runIf(await canRun(['postgres', 'mariadb', 'mariadb-client']))(
  'jeton proxy in front of MariaDB',
  () => {
    let service: LoginService
    let folder: string
    let proxy: ChildProcess
    let socketPath: string
    const ended: Promise<unknown>[] = []

    beforeAll(async () => {
      service = await startLoginService()
      folder = await mkdtemp(join(tmpdir(), 'proxy-'))
      proxy = spawn(
        process.execPath,
        [CLI, 'proxy', 'ledger', '--socket-dir', folder, '--max-connections', String(MAX_CONNECTIONS)],
        {
          env: {
            PATH: process.env.PATH,
            HOME: folder,
            JETON_URL: service.url,
            JETON_API_KEY: service.apiKey,
          },
        },
      )
      ended.push(once(proxy, 'close'))
      let stdout = ''
      proxy.stdout?.setEncoding('utf8').on('data', text => (stdout += text))
      proxy.stderr?.resume()
      await vi.waitUntil(() => stdout.endsWith('}\n'), { timeout: 20_000 })
      socketPath = JSON.parse(stdout.split('\n')[0] ?? '').socket
    })
    afterAll(async () => {
      proxy?.kill('SIGKILL')
      await Promise.all(ended)
      await service?.close()
      await rm(folder, { recursive: true, force: true })
      vi.unstubAllEnvs()
    })

    const logIn = (options: ConnectionOptions = {}) => createConnection({ socketPath, user: 'x', ...options })
    const running = async () => {
      const rows = await service.mariadb.admin(
        "SELECT info FROM information_schema.processlist WHERE user = 'app_rw'",
      )
      return rows.map(({ info }) => info)
    }

    test('Ctrl-C in the mariadb command ends its query in the database', async () => {
      const client = spawn('mariadb', ['--no-defaults', '-S', socketPath, '-e', 'SELECT sleep(60)'], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let stderr = ''
      client.stderr.setEncoding('utf8').on('data', text => (stderr += text))
      const closed = once(client, 'close')
      await expect.poll(running, { timeout: 10_000 }).toEqual(['SELECT sleep(60)'])
      client.kill('SIGINT')
      await closed
      expect(stderr).toContain('Query execution was interrupted')
      await expect.poll(running, { timeout: 10_000 }).toEqual([])
    })

    test('more clients than it may have are told so, and make no connection to the database', async () => {
      const clients = await Promise.all(Array.from({ length: MAX_CONNECTIONS }, () => logIn()))
      await expect(logIn()).rejects.toMatchObject({
        errno: 1040,
        sqlState: '08004',
        message: `jeton proxy: there are ${MAX_CONNECTIONS} connections already, as many as it may have`,
      })
      expect(await running()).toHaveLength(MAX_CONNECTIONS)
      await Promise.all(clients.map(client => client.end()))
      await expect.poll(running, { timeout: 10_000 }).toEqual([])
    })

    test('a server that restarts ends sessions, and takes the next ones with the same token', async () => {
      const requests = service.requests.length
      const client = await logIn()
      const broken = new Promise(resolve => client.on('error', resolve))
      await service.mariadb.restart()
      await broken
      await (await logIn()).end()
      expect(service.requests).toHaveLength(requests)
    })

    test('SIGTERM accepts nobody, lets a session go on, and ends with it', async () => {
      const client = await logIn()
      proxy.kill('SIGTERM')
      await expect.poll(() => existsSync(socketPath), { timeout: 10_000 }).toBe(false)
      await expect(logIn()).rejects.toMatchObject({ code: 'ENOENT' })
      expect((await client.query('SELECT 1 AS one'))[0]).toEqual([{ one: 1 }])
      await client.end()
      expect(await ended[0]).toEqual([0, null])
    })
  },
)
