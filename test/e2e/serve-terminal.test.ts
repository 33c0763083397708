import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findProcesses } from '../support/processes.ts'
import { hasTerminals, openTerminal } from '../support/terminal.ts'
import { useServers } from './servers.ts'

const { environment, allAuditRecords } = useServers()

test.runIf(hasTerminals)(
  'a server whose terminal is closed goes on without a log, and ends on SIGTERM',
  async () => {
    const configFile = join(environment().folder, 'jeton.json')
    await writeFile(configFile, JSON.stringify(environment().config()))
    const terminal = await openTerminal(['serve', '--config', configFile, '--port', '0'], {
      until: '"listening"',
      env: environment().serverEnv,
    })
    const { url } = JSON.parse(/\{"msg":"listening".*\}/.exec(terminal.printed)?.[0] ?? '')
    const server = async () => (await findProcesses(`serve --config ${configFile}`))[0]
    onTestFinished(async () => {
      const left = await server()
      if (left) process.kill(left.pid, 'SIGKILL')
    })
    await terminal.close()
    // SIGHUP is a reload, which is logged: in vain
    await expect
      .poll(async () => (await allAuditRecords()).map(({ type }) => type))
      .toContain('jeton.audit.reloaded')
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    process.kill((await server())!.pid, 'SIGTERM')
    await expect.poll(server, { timeout: 10_000 }).toBeUndefined()
    expect((await allAuditRecords()).at(-1)).toMatchObject({ type: 'jeton.audit.stopped', signal: 'SIGTERM' })
  },
  60_000,
)
