import { lookup } from 'node:dns/promises'
import { execCommand } from '../../src/cli/exec.ts'
import { tokenCommand } from '../../src/cli/token.ts'
import { systemClock } from '../../src/lib/clock.ts'

// stands in for the command line: `runner.ts token|exec ARGUMENTS-AS-JSON`
const [, , which, json = '{}'] = process.argv
const { env, stdin, stdout, stderr } = process
const lookUpAll = (host: string) => lookup(host, { all: true })
const context = { env, stdin, stdout, stderr, lookup, lookUpAll, clock: systemClock(), host: process }
const command = which === 'exec' ? execCommand : tokenCommand
process.exitCode = await command(JSON.parse(json), context)
