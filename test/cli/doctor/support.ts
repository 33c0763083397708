import { Readable } from 'node:stream'
import { doctorCommand } from '../../../src/cli/doctor/command.ts'
import type { LookUpAll } from '../../../src/cli/doctor/target.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { type ApiStub, someJwt } from '../../support/service/api-stub.ts'

export interface ReportedStep {
  step: string
  result: string
  detail?: string
  code?: string
}

export interface Examined {
  code: number
  stderr: string
  steps: readonly ReportedStep[]
  failed: ReportedStep | undefined
  means: string | undefined
  remedies: readonly string[]
}

/** Returns what `jeton doctor -o json` prints of a reply that `api` gives. Each step ends within 0.3 s. */
export async function examine(
  api: ApiStub,
  reply: { token: string; [name: string]: unknown },
  parts: { lookUpAll?: LookUpAll; ca?: string } = {},
): Promise<Examined> {
  api.answers = [{ body: reply }]
  const printed = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (printed[name] += text) })
  const { ca, lookUpAll = async () => [{ address: '127.0.0.1' }] } = parts
  const code = await doctorCommand(
    { database: 'orders', timeout: '0.3', output: 'json', ca },
    {
      env: { JETON_URL: api.url, JETON_JWT: someJwt() },
      stdin: Readable.from([]),
      stdout: output('stdout'),
      stderr: output('stderr'),
      lookup: async () => ({ address: '127.0.0.1' }),
      lookUpAll,
      clock: systemClock(),
    },
  )
  const { stdout, stderr } = printed
  if ((stdout + stderr).includes(reply.token)) throw new Error('the token was printed')
  const { steps = [], means, remedies = [] } = JSON.parse(stdout || '{}')
  const failed = steps.find(({ result }: ReportedStep) => result === 'failed')
  return { code, stderr, steps, failed, means, remedies }
}
