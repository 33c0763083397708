import fc from 'fast-check'
import { expect, test } from 'vitest'
import { auditVerifyCommand } from '../../src/cli/audit-verify.ts'
import { catchUsageErrors } from '../../src/cli/usage-error.ts'
import { CallerError, errorLine, fitForTerminal } from '../../src/client/errors.ts'
import { describeProblem } from '../../src/config/problems.ts'
import { JetonError, UsageError } from '../../src/errors.ts'
import { rawProblem } from '../../src/http/problem.ts'
import { problemReply } from '../../src/lambda/reply.ts'
import { HOSTILE_CHARACTERS, hostileText, RAW } from '../support/hostile-text.ts'
import { runCli } from '../support/service/jeton.ts'
import { recordStreams } from './record-streams.ts'

const EVIL = Object.values(HOSTILE_CHARACTERS).join('x')

async function stderrOf(command: () => Promise<number>): Promise<string> {
  const { streams, written } = recordStreams()
  await catchUsageErrors(streams.stderr, command)
  return written.stderr
}

async function verifyOutput(file: string): Promise<string> {
  const { streams, written } = recordStreams()
  await auditVerifyCommand({ files: [file] }, streams)
  return written.stdout
}

const usageError = (message: string) =>
  stderrOf(async () => {
    throw new UsageError(message)
  })

test.each<[string, (text: string) => string | Promise<string>]>([
  ["the line of a caller's error", text => errorLine(new CallerError(text, { exitCode: 1, code: text }))],
  [
    "the line of a server's answer",
    text => errorLine(new CallerError(fitForTerminal(text), { exitCode: 1 })),
  ],
  ['the line of a usage error', usageError],
  ['the line of a problem of a configuration', text => `${describeProblem({ path: '', message: text })}\n`],
  ['the line of a log that cannot be verified', verifyOutput],
])('%s shows nothing unprintable, and is one line', async (_what, render) => {
  const line = await render(EVIL)
  expect(line).toContain('\\u001bx\\u009bx\\u0085x\\u007fx\\u2028')
  await fc.assert(
    fc.asyncProperty(hostileText, async text => {
      const rendered = await render(text)
      expect(rendered.slice(0, -1)).not.toMatch(RAW)
      expect(rendered.at(-1)).toBe('\n')
    }),
  )
})

test('what the command line says of its own arguments shows nothing unprintable', async () => {
  const { stderr } = await runCli(['check', '--\u009b\u202e'])
  expect(stderr).toContain("error: unknown option '--\\u009b\\u202e'\n")
})

test('the JSON of a problem shows nothing unprintable, and parses to the detail', () => {
  fc.assert(
    fc.property(hostileText, text => {
      const error = new JetonError('invalid_request', { publicMessage: text })
      const raw = rawProblem(error, 'q').split('\r\n\r\n')[1] ?? ''
      for (const json of [problemReply(error, 'q').body, raw]) {
        expect(json).not.toMatch(RAW)
        expect(JSON.parse(json).detail).toBe(text)
      }
    }),
  )
})
