import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { logNodeWarnings, printNodeWarnings } from '../../src/telemetry/node-warnings.ts'
import { createLogRecorder } from '../support/service/log-recorder.ts'

/** As the AWS SDK words it (@aws-sdk/core, emitWarningIfUnsupportedVersion). */
const AWS_SDK = `NodeVersionSupportWarning: The AWS SDK for JavaScript (v3)
versions published after the first week of January 2027
will require node >=22. You are running node v20.20.2.

To continue receiving updates to AWS services, bug fixes,
and security updates please upgrade to node >=22.

More information can be found at: https://a.co/c895JFp`

/** A process that prints its warnings, as Node does unless it is told not to. */
function processWithWarnings() {
  const source = new EventEmitter()
  const printedByNode: Error[] = []
  source.on('warning', warning => printedByNode.push(warning))
  const warn = (message: string, name = 'Warning') =>
    source.emit('warning', Object.assign(new Error(message), { name }))
  return { source, printedByNode, warn }
}

describe('logNodeWarnings', () => {
  test("logs the AWS SDK's end of support as an event, with what to do", () => {
    const { source, printedByNode, warn } = processWithWarnings()
    const log = createLogRecorder()
    logNodeWarnings(log, source)
    warn(AWS_SDK)
    expect(log.lines).toEqual([
      {
        level: 'warn',
        fields: { event: 'node_outdated', node: process.version, needed: '>=22' },
        msg: 'releases of the AWS SDK after the first week of January 2027 do not run on this Node any more: run jeton on Node >=22',
      },
    ])
    expect(printedByNode).toEqual([])
  })

  test('logs other warnings by their name', () => {
    const { source, warn } = processWithWarnings()
    const log = createLogRecorder()
    logNodeWarnings(log, source)
    warn('old', 'DeprecationWarning')
    expect(log.lines).toEqual([
      { level: 'warn', fields: { event: 'node_warning', warning: 'DeprecationWarning' }, msg: 'old' },
    ])
  })
})

describe('printNodeWarnings', () => {
  function printed(run: (warn: (message: string, name?: string) => void) => void): string[] {
    const { source, printedByNode, warn } = processWithWarnings()
    const lines: string[] = []
    printNodeWarnings(line => lines.push(line), source)
    run(warn)
    expect(printedByNode).toEqual([])
    return lines
  }

  test('prints a warning as one line, and leaves out what the AWS SDK says of Node', () => {
    expect(
      printed(warn => {
        warn(AWS_SDK)
        warn('TLS is\n  off', 'InsecureWarning')
      }),
    ).toEqual(['InsecureWarning: TLS is off'])
  })

  test('prints nothing if Node was told not to', () => {
    const source = new EventEmitter()
    printNodeWarnings(() => expect.unreachable(), source)
    source.emit('warning', new Error('old'))
  })
})
