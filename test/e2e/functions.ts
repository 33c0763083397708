import { afterEach, beforeEach, expect } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import type { HttpReply } from '../../src/lambda/reply.ts'
import { apiGatewayEvent, type EventRequest, type ToEvent } from '../support/lambda/events/events.ts'
import { type DeployedFunction, deployFunction, type Lambda, startLambda } from '../support/lambda/runtime.ts'
import { CLAIMS, startTestEnvironment, type TestEnvironment } from '../support/service/test-environment.ts'

/** Sections of a configuration whose audit records go to stdout. */
export const AUDIT_TO_STDOUT = { audit: [{ type: 'stdout' }] }

export interface LambdaReply extends HttpReply {
  /** The body if it is JSON, else `{}`. */
  json: Record<string, unknown>
}

/** Gives each test of a file its own stand-ins, and the built function in a process that Lambda's Runtime API drives and freezes. */
export function useFunction() {
  let current: TestEnvironment
  let deployed: DeployedFunction
  let lambda: Lambda | undefined
  let closables: { close(): Promise<void> }[]

  beforeEach(async () => {
    current = await startTestEnvironment()
    deployed = await deployFunction()
    closables = []
  })
  afterEach(async () => {
    await lambda?.close()
    lambda = undefined
    await Promise.all([current.close(), deployed.remove(), ...closables.map(each => each.close())])
  })

  const started = () => lambda ?? expect.unreachable('the function was not started')
  const bearer = async (claims: object = {}) =>
    `Bearer ${await current.issuer.sign({ ...CLAIMS, ...claims })}`
  /** The records of requests. */
  const records = () =>
    started()
      .stdout.map(line => JSON.parse(line) as AuditRecord & { type: string })
      .filter(({ type }) => type === 'jeton.audit')

  async function invoke(toEvent: ToEvent, request: EventRequest): Promise<LambdaReply> {
    const reply = await started().invoke(toEvent(request))
    return { ...reply, json: reply.body.startsWith('{') ? JSON.parse(reply.body) : {} }
  }

  return {
    environment: () => current,
    deployed: () => deployed,
    lambda: started,
    bearer,
    records,
    invoke,
    closeAfterwards: (...added: { close(): Promise<void> }[]) => void closables.push(...added),
    /** Writes the configuration, with audit records on stdout and these sections replaced. */
    configure: (config: object = {}) =>
      deployed.put('jeton.yaml', JSON.stringify(current.config({ ...AUDIT_TO_STDOUT, ...config }))),
    /** Starts the function, or another execution environment of it in place of the first. */
    async startFunction(env: Record<string, string> = {}): Promise<void> {
      await lambda?.close()
      lambda = await startLambda(deployed, { env: { ...env, ...current.serverEnv } })
    },
    /** Requests a token of `orders`, through API Gateway and with an allowed JWT unless given. */
    async requestToken(
      request: EventRequest & { authorization?: string; toEvent?: ToEvent } = {},
    ): Promise<LambdaReply> {
      const { authorization, toEvent = apiGatewayEvent, headers, ...others } = request
      const credential = authorization ?? (await bearer())
      return invoke(toEvent, {
        body: '{"database":"orders"}',
        headers: { authorization: credential, ...headers },
        ...others,
      })
    },
    /** Returns the last of `count` records, read while the function is frozen: it cannot write any more of them. */
    async newestRecord(count: number): Promise<AuditRecord> {
      expect(started().isFrozen()).toBe(true)
      await expect.poll(() => records().length).toBe(count)
      return records().at(-1) as AuditRecord
    },
    expectLogged: (text: string) => expect.poll(() => started().stderr.join('\n')).toContain(text),
  }
}
