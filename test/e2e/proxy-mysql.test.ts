import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type ConnectionOptions, createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { canRun } from '../support/databases/install.ts'
import { type ProxyProcess, startProxy } from '../support/proxy/proxy-process.ts'
import { type LoginService, startLoginService } from '../support/service/login-service.ts'

const MAX_CONNECTIONS = 3

describe.runIf(await canRun(['postgres', 'mariadb', 'mariadb-client']))(
  'jeton proxy in front of MariaDB',
  () => {
    let service: LoginService
    let proxy: ProxyProcess
    let socketPath: string

    beforeAll(async () => {
      service = await startLoginService()
      proxy = await startProxy({
        databases: ['ledger'],
        args: ['--max-connections', String(MAX_CONNECTIONS)],
        front: service,
        apiKey: service.apiKey,
      })
      socketPath = proxy.endpoint('ledger').socket ?? ''
    })
    afterAll(async () => {
      await proxy?.close()
      await service?.close()
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
      // the database has seen their end before the proxy has
      const another = () => logIn().then(client => client.end())
      await expect.poll(() => another().catch(({ errno }) => errno)).toBeUndefined()
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
      proxy.process.kill('SIGTERM')
      await expect.poll(() => existsSync(socketPath), { timeout: 10_000 }).toBe(false)
      await expect(logIn()).rejects.toMatchObject({ code: 'ENOENT' })
      expect((await client.query('SELECT 1 AS one'))[0]).toEqual([{ one: 1 }])
      await client.end()
      expect(await proxy.ended).toBe(0)
    })
  },
)
